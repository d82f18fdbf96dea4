// Owns: what befalls hosts. Refuses to know: when; the scenario and the seed decide that.
import TallyBase
import TallyLog

extension Simulation {
  func strike(_ fault: Fault) {
    switch fault {
    case .start(let number): if hosts[number].process == nil { restart(hosts[number]) }
    case .crash(let number): crash(hosts[number])
    case .stop(let number): stop(hosts[number])
    case .pause(let number): hosts[number].isPaused = true
    case .resume(let number):
      hosts[number].isPaused = false
      if let process = hosts[number].process {
        process.turnAt = nil
        wantTurn(hosts[number], process, at: time)
      }
    case .cut(let below): cutBelow = below
    case .heal: cutBelow = nil
    case .diskFull(let number): hosts[number].isDiskFull = true
    case .diskFree(let number): hosts[number].isDiskFull = false
    case .snapshot(let number): hosts[number].snapshot = hosts[number].disk
    case .restore(let number, let database, let guardFile): restore(hosts[number], database, guardFile)
    case .workerCrash(let number): workerCrashes(hosts[number])
    case .twin(let number, let isKnown): start(copyIdentity(of: number, isKnown: isKnown))
    }
  }

  private func restart(_ host: SimHost) {
    if let broken = checker.lost(host) { fail(broken.law, host: host.number, broken.text) }
    start(host)
  }

  /// An old backup is put back, whole or in part. The process must not run.
  private func restore(_ host: SimHost, _ database: Bool, _ guardFile: Bool) {
    precondition(host.process == nil, "a restore under a running process")
    guard let snapshot = host.snapshot else { preconditionFailure("host \(host.number) has no backup") }
    let mark = host.disk.guardFile
    if database {
      host.disk = snapshot
      host.disk.guardFile = mark
      host.disk.wasClean = false
    }
    if guardFile { host.disk.guardFile = snapshot.guardFile }
    if options.mutation == .restoresSilently { host.disk.forgetAcknowledgements() }
    checker.onRestore(host) { feed, index in
      (host.disk.feeds[feed]?.frontier.size ?? 0) > index
    }
  }

  /// A second host with the same key on a copy of the directory, at another address.
  func copyIdentity(of number: Int, isKnown: Bool) -> SimHost {
    let original = hosts[number]
    let port = original.endpoint.port + 1
    let twin = addHost(
      seed: original.identitySeed, key: original.key,
      endpoint: Endpoint(address: original.endpoint.address, port: port))
    twin.disk = original.disk
    // Half of the copies know nobody to ask whether they are the newest, and sign: those fork.
    if !isKnown || options.seed % 2 == 0 { twin.disk.forgetAcknowledgements() }
    if isKnown {
      checker.mayFork.insert(original.key)
      original.isHonest = false
      twin.isHonest = false
    }
    return twin
  }
}

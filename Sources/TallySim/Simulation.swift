// Owns: one run: hosts, network, time and chance in one thread. A run is (code, seed, options).
// Refuses to know: what a scenario wants. DESIGN section 2: the simulator drives a node exactly as the daemon does.
import TallyBase
import TallyCrypto
import TallyLog
import TallyNode
import TallySession
import TallyWire

public final class Simulation {
  public let options: SimOptions
  public private(set) var time: Int64 = 0
  public internal(set) var figures = Figures()
  public internal(set) var trace: Trace
  public internal(set) var violation: Violation?

  var queue = EventQueue()
  var chance: Generator
  var hosts: [SimHost] = []
  var hostAt: [Endpoint: Int] = [:]
  var connections: [Connection] = []
  /// Hosts below the number cannot reach the others.
  var cutBelow: Int?
  /// Datagrams kept by an eavesdropper, and what each false source address sent and was sent.
  var captured: [(to: Int, bytes: [UInt8])] = []
  var spoofed: [Endpoint: SpoofedSource] = [:]
  var checker: Checker
  var script: Script
  let meshName = "sim"
  let meshNonce: [UInt8]
  let meshKeys: MeshKeys
  /// Stops the run there, in microseconds, whatever has happened.
  public var stopsAt: Int64?

  public init(_ options: SimOptions, keepsLines: Bool = false) {
    self.options = options
    let root = Blake2b.hash256(tag: "tally-sim/run", [SimOptions.bytes(options.seed)])
    chance = Generator(seed: root, stream: 1)
    meshNonce = chance.bytes(16)
    meshKeys = MeshKeys(
      meshID: Names.meshID(name: meshName, nonce: meshNonce), keys: options.hasMeshKey ? [chance.bytes(32)] : [])
    trace = Trace(keepsLines: keepsLines)
    checker = Checker()
    script = Script()
    for number in 0..<options.hosts { addHost(number) }
    options.scenario.install(in: self)
  }

  private func addHost(_ number: Int) {
    let seed = chance.bytes(32)
    let key = Self.publicKey(of: seed)
    let address =
      options.isOneNetwork
      ? Address(v4: 0xC0A8_0100 + UInt32(number + 1)) : Address(v4: 0x0A00_0001 + UInt32(number) << 8)
    addHost(seed: seed, key: key, endpoint: Endpoint(address: address, port: 8255))
  }

  /// A seed of 32 bytes always makes an identity while there is memory.
  static func publicKey(of seed: [UInt8]) -> PublicKey {
    do throws(CryptoError) {
      return try Identity(seed: seed).publicKey
    } catch {
      preconditionFailure("no identity from a seed of \(seed.count) bytes: \(error)")
    }
  }

  @discardableResult
  func addHost(seed: [UInt8], key: PublicKey, endpoint: Endpoint) -> SimHost {
    let offset = options.wallOffsetMs > 0 ? chance.within(-options.wallOffsetMs...options.wallOffsetMs) : 0
    let host = SimHost(
      number: hosts.count, identitySeed: seed, key: key, endpoint: endpoint, mesh: meshKeys.meshID,
      generator: chance.fork(), wallOffsetMs: offset)
    hosts.append(host)
    hostAt[endpoint] = host.number
    return host
  }

  /// One line per input and output, when they were asked for.
  public var traceLines: [String] { trace.lines }

  // Time.

  func schedule(_ event: SimEvent, after delay: Int64) { queue.add(event, at: time + max(0, delay)) }

  /// A run is not over before its last fault.
  func schedule(_ fault: Fault, at moment: Int64) {
    script.faultsLeft += 1
    queue.add(.fault(fault), at: max(time, moment))
  }

  /// Runs the scenario until it has converged and been quiet, a law is broken, or time is up. Nil: all went well.
  @discardableResult
  public func run() -> Violation? {
    while violation == nil, let next = queue.nextTime {
      if let stopsAt, next > stopsAt { return nil }
      if next >= script.nextLook {
        time = max(time, script.nextLook)
        if look() { return violation }
        continue
      }
      guard let (moment, event) = queue.pop() else { break }
      time = moment
      figures.events += 1
      happen(event)
    }
    return violation
  }

  /// Every 250 ms of virtual time: has it converged, has the quiet time passed? True ends the run.
  private func look() -> Bool {
    script.nextLook += Script.lookPeriod
    checkRunning()
    if violation != nil { return true }
    if let quietUntil = script.quietUntil {
      if time >= script.quietFrom, script.bytesBefore == .max { script.bytesBefore = figures.bytes }
      guard time >= quietUntil else { return false }
      figures.quietTime = time - script.quietFrom
      figures.quietBytes = figures.bytes - script.bytesBefore
      checkEnd()
      return true
    }
    if options.scenario.isDone(self) {
      figures.convergedAt = time
      script.quietFrom = time + Script.settleTime
      script.quietUntil = script.quietFrom + Script.quietTime
      script.bytesBefore = .max
    } else if time > options.deadline {
      fail("L1", host: nil, "not converged after \(time / 1000) ms: \(options.scenario.whatIsMissing(self))")
    }
    return violation != nil
  }

  func fail(_ law: String, host: Int?, _ text: String) {
    guard violation == nil else { return }
    violation = Violation(law: law, host: host, time: time, text: text, options: options)
  }

  // Events.

  private func happen(_ event: SimEvent) {
    switch event {
    case .turn(let number, let generation, let token):
      guard let process = process(number, generation), process.turnToken == token else { return }
      turn(hosts[number], process)
    case .datagram(let number, let source, let bytes):
      arrive(.datagram(from: source, bytes: bytes), at: number)
    case .dialArrived(let connection): dialArrived(connection)
    case .dialAnswered(let connection): dialAnswered(connection)
    case .data(let connection, let side, let bytes): dataArrived(connection, toward: side, bytes)
    case .hangUp(let connection, let side): hangUpArrived(connection, toward: side)
    case .reset(let connection): reset(connection)
    case .committed(let number, let generation):
      if let process = process(number, generation) { committed(hosts[number], process) }
    case .guardWritten(let number, let generation):
      if let process = process(number, generation) { guardWritten(hosts[number], process) }
    case .input(let number, let generation, let input):
      if let process = process(number, generation) {
        settled(input, process)
        arrive(input, at: number)
      }
    case .worker(let number, let generation, let step):
      if let process = process(number, generation) { workerSteps(hosts[number], process, step) }
    case .fault(let fault):
      script.faultsLeft -= 1
      strike(fault)
    case .record(let number): orderRecord(number)
    case .post(let number): orderJob(number)
    }
  }

  private func process(_ number: Int, _ generation: Int) -> SimProcess? {
    guard let process = hosts[number].process, process.generation == generation else { return nil }
    return process
  }

  private func settled(_ input: Input, _ process: SimProcess) {
    switch input {
    case .checked: process.checksUnderWay -= 1
    case .readDone: process.readsUnderWay -= 1
    default: break
    }
  }

  /// Something for a host: handled in its next turn, or never if it does not run.
  func arrive(_ input: Input, at number: Int) {
    let host = hosts[number]
    guard let process = host.process else { return }
    if host.isPaused, case .datagram = input, process.inbox.count > 4096 { return }
    process.inbox.append(input)
    wantTurn(host, process, at: time + chance.exponential(mean: options.turnDelay))
  }

  func wantTurn(_ host: SimHost, _ process: SimProcess, at moment: Int64) {
    guard !host.isPaused else { return }
    if let due = process.turnAt, due <= moment { return }
    process.turnAt = moment
    process.turnToken += 1
    queue.add(.turn(host: host.number, generation: process.generation, token: process.turnToken), at: moment)
  }
}

/// The first broken law of a run.
public struct Violation: Error, Sendable {
  /// As in PROTOCOL.md, chapter "Simulator": S2 … S8, L1, L4.
  public let law: String
  public let host: Int?
  public let time: Int64
  public let text: String
  public let options: SimOptions

  /// For people, with the line that shows it again.
  public var report: String {
    let place = host.map { "host \($0)" } ?? "the mesh"
    return """
      \(law) broken at \(time / 1000) ms by \(place): \(text)
      replay: tally-sim run --options "\(options.text)"
      """
  }
}

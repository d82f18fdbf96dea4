// Owns: the virtual network: datagrams that are lost, doubled, reordered, damaged and faked; links as ordered streams
// with delay, partial chunks, congestion and resets; partitions. Refuses to know: what is sealed inside.
import TallyBase
import TallyNode
import TallySession

/// An address that belongs to nobody and in whose name somebody sends.
struct SpoofedSource {
  var sentBytes: UInt64 = 0
  var receivedBytes: UInt64 = 0
}

extension Simulation {
  func isCut(_ one: Int, _ other: Int) -> Bool {
    guard let cutBelow else { return false }
    return (one < cutBelow) != (other < cutBelow)
  }

  private func delay() -> Int64 { options.baseDelay + chance.exponential(mean: options.meanDelay) }

  // Datagrams.

  func transmit(_ bytes: [UInt8], from host: SimHost, to endpoint: Endpoint) {
    figures.datagrams += 1
    figures.datagramBytes += UInt64(bytes.count)
    if bytes.first == 2 { figures.handshakes += 1 }
    checkDatagram(bytes, host)
    if var source = spoofed[endpoint] {
      source.receivedBytes += UInt64(bytes.count)
      spoofed[endpoint] = source
      checkSpoofed(source, endpoint, host)
      return
    }
    guard let target = hostAt[endpoint] else { return }
    if isCut(host.number, target) || chance.percent(options.lossPercent) {
      figures.datagramsLost += 1
      return
    }
    deliver(bytes, from: host.endpoint, to: target)
    if chance.percent(options.duplicatePercent) {
      figures.datagramsDoubled += 1
      deliver(bytes, from: host.endpoint, to: target)
    }
    if chance.percent(options.spoofPercent) { spoof(bytes, to: target) }
  }

  private func deliver(_ bytes: [UInt8], from source: Endpoint, to target: Int) {
    var bytes = bytes
    if chance.percent(options.corruptPercent) {
      figures.datagramsCorrupted += 1
      bytes[chance.below(bytes.count)] ^= 1 << UInt8(chance.below(8))
    }
    schedule(.datagram(host: target, from: source, bytes: bytes), after: delay())
  }

  /// The same bytes come once more, later, from an address where nobody lives: a reply would be reflected there.
  private func spoof(_ bytes: [UInt8], to target: Int) {
    figures.datagramsSpoofed += 1
    let source = Endpoint(address: Address(v4: 0xC633_6400 + UInt32(chance.below(32))), port: 4000)
    spoofed[source, default: SpoofedSource()].sentBytes += UInt64(bytes.count)
    schedule(.datagram(host: target, from: source, bytes: bytes), after: chance.within(0...2_000_000))
  }

  // Links.

  func dial(_ link: LinkID, _ endpoint: Endpoint, _ host: SimHost, _ process: SimProcess) {
    figures.dials += 1
    guard let target = hostAt[endpoint] else {
      later(.linkClosed(link), host, process, after: 3_000_000)
      return
    }
    if isCut(host.number, target) {
      later(.linkClosed(link), host, process, after: 10_000_000)
      return
    }
    let number = connections.count
    connections.append(
      Connection(ends: [
        Connection.End(host: host.number, generation: process.generation, link: link),
        Connection.End(host: target, generation: hosts[target].generation, link: nil),
      ]))
    process.links[link] = LinkEnd(connection: number, side: 0)
    schedule(.dialArrived(connection: number), after: delay())
  }

  private func later(_ input: Input, _ host: SimHost, _ process: SimProcess, after delay: Int64) {
    schedule(.input(host: host.number, generation: process.generation, input), after: delay)
  }

  private func process(of end: Connection.End) -> SimProcess? {
    guard end.isAttached, let process = hosts[end.host].process, process.generation == end.generation else {
      return nil
    }
    return process
  }

  func dialArrived(_ number: Int) {
    guard connections[number].state == .dialling else { return }
    let target = hosts[connections[number].ends[1].host]
    guard let process = target.process, process.generation == connections[number].ends[1].generation else {
      // Nobody listens: refused.
      connections[number].state = .dead
      schedule(.hangUp(connection: number, toward: 0), after: delay())
      return
    }
    let link = LinkID(number: process.nextAccepted)
    process.nextAccepted += 2
    connections[number].ends[1].link = link
    connections[number].state = .open
    process.links[link] = LinkEnd(connection: number, side: 1)
    let dialler = hosts[connections[number].ends[0].host]
    let remote = Endpoint(address: dialler.endpoint.address, port: UInt16(truncatingIfNeeded: 32_768 + number % 28_000))
    arrive(.linkAccepted(link, remote: remote), at: target.number)
    schedule(.dialAnswered(connection: number), after: delay())
    if options.resetMean > 0 {
      schedule(.reset(connection: number), after: chance.exponential(mean: options.resetMean))
    }
  }

  func dialAnswered(_ number: Int) {
    let end = connections[number].ends[0]
    guard connections[number].state == .open else { return }
    guard process(of: end) != nil, let link = end.link else {
      schedule(.hangUp(connection: number, toward: 1), after: delay())
      return
    }
    arrive(.linkOpened(link, remote: hosts[connections[number].ends[1].host].endpoint), at: end.host)
  }

  func write(_ bytes: [UInt8], on link: LinkID, _ host: SimHost, _ process: SimProcess) {
    guard let place = process.links[link] else { return }
    figures.linkBytes += UInt64(bytes.count)
    let other = 1 - place.side
    let peer = connections[place.connection].ends[other].host
    if isCut(host.number, peer) { doom(place.connection) }
    guard connections[place.connection].state == .open, !connections[place.connection].isDoomed else { return }
    var end = connections[place.connection].ends[place.side]
    guard end.queuedBytes + bytes.count <= Connection.queueMax else {
      hangUp(link, process)
      feed(.linkClosed(link), host, process, host.instant(time))
      return
    }
    end.queuedBytes += bytes.count
    var delay = delay() + Int64(bytes.count) * 1_000_000 / options.bandwidth
    // A lost segment shows as a retransmission.
    if chance.percent(options.lossPercent) { delay += chance.within(200_000...400_000) }
    end.lastArrival = max(end.lastArrival, time + delay)
    let isCongested = end.queuedBytes > Connection.congestedAbove
    end.isCongested = end.isCongested || isCongested
    connections[place.connection].ends[place.side] = end
    queue.add(.data(connection: place.connection, toward: other, bytes: bytes), at: end.lastArrival)
    if end.isCongested { feed(.linkCongested(link, true), host, process, host.instant(time)) }
  }

  /// What is lost on a stream cannot come later: TCP gives up after a while.
  private func doom(_ number: Int) {
    guard !connections[number].isDoomed else { return }
    connections[number].isDoomed = true
    schedule(.reset(connection: number), after: chance.within(1_000_000...20_000_000))
  }

  func dataArrived(_ number: Int, toward side: Int, _ bytes: [UInt8]) {
    let target = connections[number].ends[side]
    let sender = connections[number].ends[1 - side]
    if isCut(target.host, sender.host) { doom(number) }
    guard connections[number].state == .open, !connections[number].isDoomed else { return }
    connections[number].ends[1 - side].queuedBytes -= bytes.count
    if sender.isCongested, sender.queuedBytes - bytes.count <= Connection.drainedBelow {
      connections[number].ends[1 - side].isCongested = false
      if process(of: sender) != nil, let link = sender.link { arrive(.linkCongested(link, false), at: sender.host) }
    }
    guard process(of: target) != nil, let link = target.link else { return }
    var rest = bytes[...]
    if options.mutation == .corruptsLinks, let last = rest.indices.last { rest[last] ^= 1 }
    while !rest.isEmpty {
      let count = options.maxChunk >= 65_536 ? rest.count : min(rest.count, 1 + chance.below(options.maxChunk))
      arrive(.linkBytes(link, Array(rest.prefix(count))), at: target.host)
      rest = rest.dropFirst(count)
    }
  }

  /// One end closes; what it sent before still arrives.
  func hangUp(_ link: LinkID, _ process: SimProcess) {
    guard let place = process.links.removeValue(forKey: link) else { return }
    connections[place.connection].ends[place.side].isAttached = false
    let last = connections[place.connection].ends[place.side].lastArrival
    queue.add(.hangUp(connection: place.connection, toward: 1 - place.side), at: max(last, time + delay()))
  }

  func hangUpArrived(_ number: Int, toward side: Int) {
    let end = connections[number].ends[side]
    connections[number].state = .dead
    tellClosed(number, end, side)
  }

  func reset(_ number: Int) {
    guard connections[number].state != .dead else { return }
    // The quiet time at the end is measured on a network that lets links live.
    guard script.quietUntil == nil || connections[number].isDoomed else { return }
    figures.resets += 1
    connections[number].state = .dead
    for side in 0..<2 { tellClosed(number, connections[number].ends[side], side) }
  }

  private func tellClosed(_ number: Int, _ end: Connection.End, _ side: Int) {
    guard let process = process(of: end), let link = end.link else { return }
    connections[number].ends[side].isAttached = false
    process.links[link] = nil
    arrive(.linkClosed(link), at: end.host)
  }
}

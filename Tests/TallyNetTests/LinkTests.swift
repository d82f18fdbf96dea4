import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct LinkTests {
  /// A run of bytes in which a lost, doubled or swapped piece shows.
  func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

  func loops() -> [Endpoint] { hostHasIPv6 ? [loopback4, loopback6] : [loopback4] }

  @Test func bothFamiliesCarryBytesBothWays() throws {
    for endpoint in loops() {
      let loop = try Loop()
      let at = try loop.net.listen(at: endpoint)
      let (dialled, accepted) = try loop.pair(at)
      #expect(loop.write(dialled, [1, 2, 3]) == .queued)
      #expect(loop.write(accepted, [4, 5]) == .queued)
      try loop.run { $0.bytes(accepted) == [1, 2, 3] && $0.bytes(dialled) == [4, 5] }
      loop.net.close(dialled)
      try loop.run { $0.closed(accepted) == .ended }
      #expect(loop.closed(dialled) == nil)
      #expect(loop.links == 0)
      #expect(loop.events.contains(.linkOpened(dialled, remote: at)))
      let counters = loop.counters
      #expect(counters.linkBytesSent == 5 && counters.linkBytesReceived == 5)
      #expect(counters.dialled == 1 && counters.accepted == 1 && counters.opened == 2)
    }
  }

  @Test func oneIPv6ListenerServesIPv4() throws {
    guard hostHasIPv6 else { return print("SKIP LinkTests.oneIPv6ListenerServesIPv4: no IPv6 on this host") }
    let loop = try Loop()
    let port = try loop.net.open(at: everywhere).port
    let (_, accepted) = try loop.pair(Endpoint(address: loopback4.address, port: port))
    guard case .linkAccepted(accepted, let remote)? = loop.events.last(where: {
      if case .linkAccepted = $0 { true } else { false }
    }) else { return #expect(Bool(false), "no link was accepted") }
    #expect(remote.address == loopback4.address)
    _ = try loop.pair(Endpoint(address: loopback6.address, port: port))
  }

  /// Bytes written before the link is up wait for it.
  @Test func aDialMayBeWrittenAtOnce() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let dialled = loop.net.dial(at)
    #expect(loop.write(dialled, [9]) == .queued)
    try loop.run { $0.accepted.count == 1 && $0.bytes($0.accepted[0]) == [9] }
  }

  @Test func shortWritesLoseNothing() throws {
    let loop = try Loop { $0.linkBufferBytes = 4096 }
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    let sent = pattern(1_500_000)
    #expect(loop.write(dialled, sent) != .full)
    loop.net.flush()
    // The kernel took a part of it only: that is what is tested here.
    #expect(loop.queued(dialled) > 0 && loop.queued(dialled) < sent.count)
    try loop.run { _ in loop.queued(dialled) == 0 && loop.bytes(accepted).count == sent.count }
    #expect(loop.bytes(accepted) == sent)
  }

  @Test(arguments: [EINTR, EAGAIN, ENOBUFS, ENOMEM]) func aFullKernelLosesNothing(_ code: CInt) throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    loop.net.write(dialled, [1, 2, 3]).expect(.queued)
    let left = ForcedErrors.with(["send": [code]]) { loop.net.flush() }
    #expect(left == 0)
    #expect(loop.queued(dialled) == (code == EINTR ? 0 : 3))
    try loop.run { $0.bytes(accepted) == [1, 2, 3] }
  }

  @Test func theOutgoingQueueIsBoundedAndSaysSo() throws {
    let loop = try Loop { settings in
      settings.linkQueueBytes = 100_000
      settings.linkBufferBytes = 4096
    }
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    loop.net.pauseReading(accepted)
    // Fill the kernel first, so that what follows stays in our queue.
    while loop.queued(dialled) == 0 {
      #expect(loop.write(dialled, pattern(40_000)) == .queued)
      loop.net.flush()
    }
    var outcomes: [WriteOutcome] = []
    while outcomes.last != .full {
      outcomes.append(loop.write(dialled, pattern(10_000)))
      try #require(outcomes.count < 20)
    }
    #expect(outcomes.contains(.congested))
    #expect(loop.queued(dialled) > 90_000 && loop.queued(dialled) <= 100_000)
    #expect(loop.counters.writesRefused == 1)
    #expect(loop.drained.isEmpty)
    loop.net.resumeReading(accepted)
    try loop.run { $0.drained == [dialled] }
    #expect(loop.queued(dialled) <= 25_000)
    #expect(loop.write(dialled, [1]) == .queued)
    // Larger than the whole queue: never taken, and no drained event is promised.
    #expect(loop.write(dialled, pattern(100_001)) == .full)
  }

  @Test func aPausedLinkIsNotRead() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    loop.net.pauseReading(accepted)
    loop.net.pauseReading(accepted)
    #expect(loop.write(dialled, pattern(1000)) == .queued)
    for _ in 0..<20 { try loop.turn() }
    #expect(loop.bytes(accepted).isEmpty)
    loop.net.resumeReading(accepted)
    try loop.run { $0.bytes(accepted).count == 1000 }
  }

  /// No link gets more than 64 KiB of a turn, and none waits for ever behind a busy one.
  @Test func turnsAreFair() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    var pairs: [(dialled: NetToken, accepted: NetToken)] = []
    for _ in 0..<24 { pairs.append(try loop.pair(at)) }
    for pair in pairs {
      loop.net.pauseReading(pair.accepted)
      loop.net.write(pair.dialled, pattern(300_000)).expect(.queued)
    }
    for _ in 0..<40 { try loop.turn() }
    for pair in pairs { loop.net.resumeReading(pair.accepted) }
    loop.events = []
    try loop.turn(ms: 1000)
    try loop.turn(ms: 1000)
    // 24 × 64 KiB do not fit into one turn's MiB: in two turns each had its share once, and none twice before all.
    var share: [NetToken: Int] = [:]
    for case .linkBytes(let token, let bytes) in loop.events {
      #expect(bytes.count <= NetLimits.linkTurnBytes)
      share[token, default: 0] += bytes.count
    }
    #expect(share.count == pairs.count)
    try loop.run { loop in pairs.allSatisfy { loop.events.count > 0 && loop.queued($0.dialled) == 0 } }
  }

  @Test func closingMayFinishWhatIsQueued() throws {
    let loop = try Loop { $0.linkBufferBytes = 4096 }
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    let sent = pattern(700_000)
    loop.net.write(dialled, sent).expect(.queued)
    loop.net.close(dialled, afterFlush: true)
    #expect(loop.write(dialled, [1]) == .gone)
    try loop.run { $0.closed(accepted) != nil }
    #expect(loop.closed(accepted) == .ended)
    #expect(loop.bytes(accepted) == sent)
    #expect(loop.closed(dialled) == nil)
    #expect(loop.links == 0)
  }

  /// A peer that never reads cannot keep a closed link for ever.
  @Test func finishingHasATimeLimit() throws {
    let loop = try Loop { settings in
      settings.linkBufferBytes = 4096
      settings.finishTimeout = .milliseconds(30)
    }
    let listener = try RawListener(backlog: 4, receiveBytes: 4096)
    let dialled = loop.net.dial(listener.endpoint)
    try loop.run { $0.opened == [dialled] }
    loop.net.write(dialled, pattern(2_000_000)).expect(.queued)
    loop.net.close(dialled, afterFlush: true)
    #expect(loop.links == 1)
    try loop.run { $0.links == 0 }
    #expect(loop.closed(dialled) == nil)
  }

  @Test func tokensOfClosedLinksAreVoid() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    loop.net.close(dialled)
    try loop.run { $0.closed(accepted) != nil }
    // The slots are used again; the old names stay void.
    let (second, heir) = try loop.pair(at)
    #expect(Set([dialled >> 32, accepted >> 32]) == Set([second >> 32, heir >> 32]))
    #expect(!Set([dialled, accepted]).contains(second) && !Set([dialled, accepted]).contains(heir))
    let stale = loop.counters.stale
    #expect(loop.write(dialled, [1]) == .gone)
    #expect(loop.write(accepted, [1]) == .gone)
    loop.net.close(dialled)
    loop.net.pauseReading(accepted)
    loop.net.resumeReading(accepted)
    #expect(loop.counters.stale == stale + 3)
    #expect(loop.queued(dialled) == 0)
    loop.net.write(second, [7]).expect(.queued)
    try loop.run { $0.bytes(heir) == [7] }
    #expect(loop.links == 2)
  }

  /// Two links are ready in one turn and the owner closed one of them between the turns.
  @Test func eventsInFlightForAClosedLinkAreDropped() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    loop.net.write(dialled, [1]).expect(.queued)
    loop.net.flush()
    loop.net.close(accepted)
    try loop.run { $0.closed(dialled) != nil }
    #expect(loop.bytes(accepted).isEmpty)
    #expect(loop.closed(dialled) == .reset || loop.closed(dialled) == .ended)
  }
}

extension WriteOutcome {
  func expect(_ outcome: WriteOutcome) { #expect(self == outcome || self == .congested) }
}

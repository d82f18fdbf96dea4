// One membership, all others played: who is admitted by whose word, which limits hold, what is refused.
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyGossip

struct MembershipTests {
  typealias Item = Members.Item

  func seed(_ number: Int) -> Seed { Seed(key: keyOf(number), endpoint: endpointOf(number)) }

  @Test func theFirstHostIsAMemberByItselfAndAJoinerIsNot() {
    var first = Single(0)
    first.start()
    #expect(first.membership.isMember(keyOf(0)) && first.membership.memberCount == 1)
    var joiner = Single(1, seeds: [seed(0)])
    joiner.start()
    #expect(!joiner.membership.isMember(keyOf(1)) && joiner.membership.memberCount == 0)
    joiner.run(until: 0.1)
    #expect(joiner.effects.contains(.wantLink(peer: keyOf(0), at: endpointOf(0))))
  }

  @Test func aMemberDialsBackSignsAndSpreads() throws {
    var first = Single(0)
    first.start()
    first.linkUp(5, weDialled: true)
    first.linkUp(1, weDialled: false, at: Endpoint("10.0.0.2:40000")!)
    first.receive([.record(signedRecord(1))], from: 1)
    #expect(first.state(of: 1) == .candidate)
    _ = first.take()
    first.run(until: 0.01)
    #expect(first.take().contains(.wantSession(peer: keyOf(1), at: endpointOf(1))))
    first.sessionUp(1, weDialled: true)
    #expect(first.state(of: 1) == .alive)
    let effects = first.take()
    #expect(effects.contains(.memberUp(keyOf(1), signedRecord(1).record)))
    let told = effects.compactMap { effect -> Members? in
      guard case .link(keyOf(5), let message) = effect else { return nil }
      return try? Members(message: message)
    }
    let items = told.flatMap(\.items)
    #expect(items.contains(.record(signedRecord(1))))
    let reached = items.compactMap { item -> Reached? in if case .reached(let r) = item { r } else { nil } }
    #expect(reached.map(\.observer) == [keyOf(0)] && reached.map(\.how) == [.atAddress])
    #expect(
      Ed25519.verify(reached[0].signature, of: reached[0].signedBytes(mesh: testMesh), by: keyOf(0)))
    #expect(effects.contains { if case .store(2, keyOf(1).bytes, _) = $0 { true } else { false } })
  }

  @Test func aSessionThatTheCandidateOpenedProvesNoAddress() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: false, at: endpointOf(1))
    first.receive([.record(signedRecord(1))], from: 1)
    first.sessionUp(1, weDialled: false)
    first.sessionUp(1, weDialled: true, at: Endpoint("10.3.3.3:9")!)
    #expect(first.state(of: 1) == .candidate)
  }

  @Test func aHostBehindATranslatorIsReachedOverTheLinkThatItOpened() {
    var first = Single(0)
    first.start()
    let outside = Endpoint("10.7.7.7:50000")!
    first.linkUp(1, weDialled: false, at: outside)
    first.receive([.record(signedRecord(1))], from: 1)
    first.run(until: 3)
    #expect(first.state(of: 1) == .candidate)
    first.run(until: 12)
    #expect(first.membership.isMember(keyOf(1)))
    #expect(first.membership.member(keyOf(1))?.reachedBy == [keyOf(0)])
    // One without any address needs no dial-back.
    first.linkUp(2, weDialled: false, at: outside)
    first.receive([.record(signedRecord(2, endpoints: []))], from: 2)
    first.run(until: 12.1)
    #expect(first.membership.isMember(keyOf(2)))
  }

  @Test func aStrangersWordMakesNobodyAMember() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: false)
    first.receive([.record(signedRecord(2)), .reached(signedReached(2, by: 9))], from: 1)
    #expect(first.state(of: 2) == .candidate)
    // When the stranger is met, its word counts at once.
    first.receive([.record(signedRecord(9))], from: 1)
    first.sessionUp(9, weDialled: true)
    #expect(first.membership.isMember(keyOf(9)) && first.membership.isMember(keyOf(2)))
  }

  @Test func aJoinerIsAdmittedByTheWordOfItsSeed() {
    var joiner = Single(1, seeds: [seed(0)])
    joiner.start()
    joiner.linkUp(0, weDialled: true)
    joiner.receive([.record(signedRecord(0))], from: 0)
    #expect(joiner.membership.isMember(keyOf(0)))
    _ = joiner.take()
    joiner.receive([.record(signedRecord(2)), .reached(signedReached(2, by: 0))], from: 0)
    #expect(joiner.membership.isMember(keyOf(2)))
    joiner.receive([.reached(signedReached(1, by: 0))], from: 0)
    #expect(joiner.membership.isMember(keyOf(1)) && joiner.membership.memberCount == 3)
    let effects = joiner.take()
    #expect(effects.contains(.admitted))
    // Now that its word counts, it says whom it met.
    #expect(joiner.membership.member(keyOf(0))?.reachedBy == [keyOf(1)])
  }

  @Test func forgedStatementsAreFaults() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: false)
    let good = signedRecord(2)
    let forged = NodeRecord(
      key: good.record.key, number: RecordNumber(epoch: 9, counter: 0), attributes: good.record.attributes,
      endpoints: good.record.endpoints, signature: good.record.signature)
    first.receive([.record(RecordWithAttributes(record: forged, block: good.block))], from: 1)
    #expect(first.take().contains(.fault(keyOf(1), .badSignature(of: keyOf(2)))))
    let otherBlock = Attributes(petname: "liar").encoded
    first.receive([.record(RecordWithAttributes(record: good.record, block: otherBlock))], from: 1)
    #expect(first.take().contains(.fault(keyOf(1), .badAttributes(of: keyOf(2)))))
    first.receive([.record(signedRecord(2, mesh: MeshID(raw: .zero)))], from: 1)
    #expect(first.take().contains(.fault(keyOf(1), .badSignature(of: keyOf(2)))))
    first.receive([.record(good)], from: 1)
    let word = signedReached(2, by: 1)
    let stolen = Reached(
      how: word.how, subject: word.subject, number: word.number, endpoint: word.endpoint, observer: keyOf(3),
      signature: word.signature)
    first.receive([.reached(stolen)], from: 1)
    #expect(first.take().contains(.fault(keyOf(1), .badSignature(of: keyOf(3)))))
    let left = Leave(key: keyOf(2), number: good.record.number, signature: word.signature)
    first.receive([.leave(left)], from: 1)
    #expect(first.take().contains(.fault(keyOf(1), .badSignature(of: keyOf(2)))))
    first.receive([0x20, 1], from: 1)
    #expect(first.take().contains { if case .fault(_, .undecodable) = $0 { true } else { false } })
  }

  @Test(arguments: [[], [0x22], [0x23, 1, 2], [0xff], [0x01], [0x02, 9], [0x20], [0x25, 0], [0x24], [0x21, 7]] as [[UInt8]])
  func aMessageThatMeansNothingIsAFaultAndNeverATrap(_ message: [UInt8]) {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: false)
    _ = first.take()
    first.receive(message, from: 1)
    #expect(first.take().contains { if case .fault(keyOf(1), .undecodable) = $0 { true } else { false } })
  }

  @Test func oneNumberWithOtherBytesIsEquivocation() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: false)
    first.receive([.record(signedRecord(2))], from: 1)
    first.receive([.record(signedRecord(2, endpoints: [endpointOf(40)]))], from: 1)
    #expect(first.take().contains(.fault(keyOf(2), .equivocation(of: keyOf(2)))))
    #expect(first.membership.record(of: keyOf(2))?.endpoints == [endpointOf(2)])
  }

  @Test func aNewerRecordWinsAndIsSpreadOnce() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.linkUp(3, weDialled: true)
    first.receive([.record(signedRecord(1))], from: 1)
    _ = first.take()
    let newer = signedRecord(1, counter: 1, endpoints: [endpointOf(41)])
    first.receive([.record(newer)], from: 1)
    let effects = first.take()
    #expect(effects.contains(.memberChanged(keyOf(1), newer.record)))
    #expect(effects.contains(.link(to: keyOf(3), message: Members(view: nil, items: [.record(newer)]).message)))
    #expect(!effects.contains { if case .link(keyOf(1), _) = $0 { true } else { false } })
    first.receive([.record(newer), .record(signedRecord(1))], from: 3)
    #expect(first.take().isEmpty)
  }

  @Test func candidatesAreLimitedByAddressAndGroup() {
    var first = Single(0, endpoints: [Endpoint("203.0.113.1:8255")!])
    first.start()
    first.linkUp(1, weDialled: false)
    let one = Endpoint("198.51.100.1:8255")!
    for number in 100..<109 { first.receive([.record(signedRecord(number, endpoints: [one]))], from: 1) }
    #expect(first.membership.candidateCount == GossipLimits.candidatesPerAddress)
    #expect(first.take().contains(.event(.candidateRefused(keyOf(108), .tooManyAtAddress))))
    for number in 0..<70 {
      let place = Endpoint("198.51.100.\(10 + number):8255")!
      first.receive([.record(signedRecord(200 + number, endpoints: [place]))], from: 1)
    }
    #expect(first.membership.candidateCount == GossipLimits.candidatesPerGroup)
    #expect(first.take().contains(.event(.candidateRefused(keyOf(269), .tooManyInGroup))))
    // Ten minutes later nobody reached them.
    first.run(until: 800)
    #expect(first.membership.candidateCount == 0)
    #expect(first.take().contains(.event(.candidateRefused(keyOf(100), .neverReached))))
  }

  @Test func membersAreLimited() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    let members = (1..<GossipLimits.members).map { number in
      (key: keyOf(number).bytes, value: Members(view: nil, items: [.record(signedRecord(number))]).encoded)
    }
    var loaded = Single(2000)
    loaded.start(members)
    #expect(loaded.membership.memberCount == GossipLimits.members)
    loaded.linkUp(3000, weDialled: true)
    loaded.receive([.record(signedRecord(3000))], from: 3000)
    #expect(loaded.membership.memberCount == GossipLimits.members)
    #expect(loaded.take().contains(.event(.candidateRefused(keyOf(3000), .meshFull))))
    // One that left makes room.
    loaded.receive([.leave(signedLeave(5))], from: 3000)
    loaded.receive([.record(signedRecord(3000))], from: 3000)
    #expect(loaded.membership.isMember(keyOf(3000)) && loaded.membership.member(keyOf(5)) == nil)
  }

  @Test func statementsKeptOfOneHostAreLimitedAndAMembersWordDisplacesAStrangers() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.receive([.record(signedRecord(1))], from: 1)
    first.receive([.record(signedRecord(2))], from: 1)
    for observer in 20..<30 { first.receive([.reached(signedReached(2, by: observer))], from: 1) }
    #expect(first.membership.member(keyOf(2))?.reachedBy.count == GossipLimits.reachedKept)
    first.receive([.reached(signedReached(2, by: 1))], from: 1)
    #expect(first.membership.isMember(keyOf(2)))
    #expect(first.membership.member(keyOf(2))?.reachedBy.contains(keyOf(1)) == true)
  }

  @Test func silenceForFiveSecondsIsUnreachableAndAnyPacketEndsIt() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.receive([.record(signedRecord(1))], from: 1)
    first.run(until: 5)
    #expect(first.state(of: 1) == .alive)
    first.run(until: 12)
    #expect(first.state(of: 1) == .unreachable)
    let effects = first.take()
    #expect(effects.contains(.unreachable(keyOf(1))) && effects.contains(.dropLink(peer: keyOf(1))))
    first.membership.onPacket(from: keyOf(1), now: first.now, into: &first.effects)
    #expect(first.state(of: 1) == .alive)
    #expect(first.take().contains(.reachable(keyOf(1))))
  }

  @Test func unreachableMembersAreRetriedForAWeek() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.receive([.record(signedRecord(1))], from: 1)
    first.membership.onLinkDown(keyOf(1), now: first.now, into: &first.effects)
    first.run(until: 6.9 * 86_400)
    _ = first.take()
    first.run(until: 6.95 * 86_400)
    #expect(first.take().contains { if case .datagram(keyOf(1), _, _) = $0 { true } else { false } })
    first.run(until: 7.5 * 86_400)
    _ = first.take()
    first.run(until: 9 * 86_400)
    #expect(!first.take().contains { if case .datagram(keyOf(1), _, _) = $0 { true } else { false } })
    #expect(first.membership.isMember(keyOf(1)))
  }

  @Test func aPongIsCountedOnlyByItsNonce() throws {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.sessionUp(1, weDialled: true)
    first.receive([.record(signedRecord(1))], from: 1)
    first.run(until: 2.5)
    let nonces = first.take().compactMap { effect -> UInt64? in
      guard case .datagram(keyOf(1), _, let message) = effect, case .ping(let nonce)? = try? HopMessage(message)
      else { return nil }
      return nonce
    }
    let nonce = try #require(nonces.last)
    let wrong = HopMessage.pong(nonce: nonce &+ 1, observed: endpointOf(0)).bytes
    first.receive(wrong, from: 1, over: .datagram)
    #expect(first.membership.member(keyOf(1))?.roundTrip == nil)
    first.run(until: 4.9)
    let later = first.take().compactMap { effect -> UInt64? in
      guard case .datagram(keyOf(1), _, let message) = effect, case .ping(let nonce)? = try? HopMessage(message)
      else { return nil }
      return nonce
    }
    first.receive(HopMessage.pong(nonce: try #require(later.last), observed: endpointOf(0)).bytes, from: 1, over: .datagram)
    #expect(first.membership.member(keyOf(1))?.roundTrip != nil)
  }

  @Test func aPingIsAnsweredWhereItCameFromAndWithWhatWasSeen() {
    var first = Single(0)
    first.start()
    first.sessionUp(1, weDialled: false, at: Endpoint("10.5.5.5:5")!)
    _ = first.take()
    first.receive(HopMessage.ping(nonce: 42).bytes, from: 1, over: .datagram)
    let pong = HopMessage.pong(nonce: 42, observed: Endpoint("10.5.5.5:5")!).bytes
    #expect(first.take() == [.datagram(to: keyOf(1), at: nil, message: pong)])
  }

  @Test func seedsAreDialledForEverWithAtMostThirtySecondsBetween() {
    var joiner = Single(1, seeds: [seed(0)])
    joiner.start()
    var dials: [Double] = []
    while let next = joiner.membership.nextDeadline, next <= at(3600) {
      joiner.now = next
      joiner.membership.wake(identity: joiner.identity, now: next, into: &joiner.effects)
      if joiner.take().contains(.wantLink(peer: keyOf(0), at: endpointOf(0))) { dials.append(Double(next.micros) / 1e6) }
    }
    let gaps = zip(dials, dials.dropFirst()).map { $1 - $0 }
    #expect(dials[0] == 0 && gaps[0] < 2 && dials.count > 90)
    #expect(gaps.allSatisfy { $0 <= 39.1 } && dials.last! > 3550)
  }

  @Test func membersOutlastARestartAndAreUnheardUntilHeard() throws {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.receive([.record(signedRecord(1)), .record(signedRecord(2)), .reached(signedReached(2, by: 1))], from: 1)
    var stored: [[UInt8]: [UInt8]] = [:]
    for case .store(2, let key, let value) in first.take() { stored[key] = value }
    let rows = stored.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { (key: $0.key, value: $0.value) }
    var again = Single(0, epoch: 2)
    again.start(rows + [(key: keyOf(9).bytes, value: [7])])
    #expect(again.membership.memberCount == 3)
    #expect(again.state(of: 1) == .unheard && again.state(of: 2) == .unheard)
    #expect(again.take().contains(.delete(table: 2, key: keyOf(9).bytes)))
    #expect(again.membership.own?.record.number == RecordNumber(epoch: 2, counter: 0))
  }

  @Test func aLargerNumberOfOursIsJumpedOver() {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    _ = first.take()
    first.receive([.record(signedRecord(0, epoch: 50, counter: 3))], from: 1)
    #expect(first.membership.own?.record.number == RecordNumber(epoch: 50, counter: 4))
    #expect(first.take().contains(.event(.ownRecordElsewhere(RecordNumber(epoch: 50, counter: 3)))))
    // At most twice a second.
    first.receive([.record(signedRecord(0, epoch: 60))], from: 1)
    #expect(first.membership.own?.record.number.epoch == 50)
    first.now = at(0.6)
    first.membership.jump(
      over: RecordNumber(epoch: 60, counter: 0), identity: first.identity, now: first.now, into: &first.effects)
    #expect(first.membership.own?.record.number == RecordNumber(epoch: 60, counter: 1))
    #expect(BootEpoch.next(stored: 70, wallMs: 5) == 71 && BootEpoch.next(stored: nil, wallMs: 5) == 5)
    #expect(BootEpoch.next(stored: nil, wallMs: -5) == 1 && BootEpoch.next(stored: .max, wallMs: 0) == .max)
  }

  @Test func anEqualViewIsNotToldAndAQuestionMayNotComeTooOften() throws {
    var first = Single(0)
    first.start()
    first.linkUp(1, weDialled: true)
    first.receive([.record(signedRecord(1))], from: 1)
    _ = first.take()
    first.receive(GetMembers(view: first.membership.viewDigest).message, from: 1)
    #expect(first.take().isEmpty)
    first.receive(GetMembers(view: .zero).message, from: 1)
    let pages = first.take().compactMap { effect -> Members? in
      guard case .link(keyOf(1), let message) = effect else { return nil }
      return try? Members(message: message)
    }
    #expect(pages.last?.view == first.membership.viewDigest)
    first.receive(GetMembers(view: .zero).message, from: 1)
    #expect(first.take() == [.fault(keyOf(1), .tooManyQuestions)])
    first.now = at(30)
    // The same pair of views again: nothing came of it the first time.
    first.receive(GetMembers(view: .zero).message, from: 1)
    #expect(!first.take().contains { if case .link(_, let message) = $0 { message[0] == 0x20 } else { false } })
  }
}

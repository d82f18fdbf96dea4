// The table as a whole: who gets in, who is handed out, what silence does, what is kept.
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyTable

struct RoutingTableTests {
  @Test func theClosestAreThoseOfABruteForceSearch() {
    var table = makeTable(0)
    let records = (1...400).map { makeRecord($0) }
    for record in records { _ = prove(record, in: &table, now: at(0)) }
    let held = records.filter { table.record(of: $0.key) != nil }
    #expect(held.count == table.count && held.count > 200)
    var generator = Generator(seed: .zero, stream: 1)
    var targets = (0..<200).map { _ in NodeID(raw: generator.bytes32()) }
    targets += [table.id] + records.prefix(20).map(nodeID)
    for target in targets {
      let expected = held.sorted {
        nodeID($0).raw.distance(to: target.raw) < nodeID($1).raw.distance(to: target.raw)
      }
      #expect(table.closest(to: target, count: 8) == Array(expected.prefix(8)))
    }
  }

  @Test func everyEntryStandsInTheRankOfItsSharedBitsAndNoRankIsOverfull() {
    var table = makeTable(0)
    for number in 1...700 { _ = prove(makeRecord(number), in: &table, now: at(0)) }
    for bucket in table.buckets {
      #expect(bucket.entries.count <= bucket.capacity)
      #expect(bucket.replacements.count <= TableLimits.replacements)
      for entry in bucket.entries + bucket.replacements {
        #expect(table.id.raw.distance(to: entry.id.raw).leadingZeroBitCount == bucket.rank)
      }
    }
    #expect(table.buckets[0].entries.count == 256)
    #expect(table.buckets[0].replacements.count == TableLimits.replacements)
  }

  @Test func nobodyUnprovenIsHandedOut() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    let heard = makeRecord(1)
    table.learned(heard, now: at(0), into: &effects)
    #expect(effects.contains(.wantSession(peer: heard.key, at: heard.endpoints[0])))
    #expect(table.closest(to: nodeID(heard), count: 8).isEmpty)
    // A session that the other side opened proves no address, nor does ours to another address.
    table.onSessionUp(heard.key, at: heard.endpoints[0], weDialled: false, now: at(0), into: &effects)
    table.onSessionUp(heard.key, at: Endpoint("10.9.9.9:1")!, weDialled: true, now: at(0), into: &effects)
    #expect(table.closest(to: nodeID(heard), count: 8).isEmpty && table.count == 0)
    table.onSessionUp(heard.key, at: heard.endpoints[0], weDialled: true, now: at(0), into: &effects)
    #expect(table.closest(to: nodeID(heard), count: 8) == [heard])
    #expect(effects.contains(.entered(heard.key)))
    #expect(effects.contains(.store(table: 1, key: heard.key.bytes, value: heard.encoded)))
  }

  @Test func aForgedRecordIsNotEvenDialled() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    let good = makeRecord(1)
    let forged = NodeRecord(
      key: good.key, number: good.number, attributes: good.attributes, endpoints: makeRecord(2).endpoints,
      signature: good.signature)
    table.learned(forged, now: at(0), into: &effects)
    #expect(effects.isEmpty)
  }

  @Test func aSessionWithoutARecordAsksForItAndProvesTheAddressThen() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    let peer = makeRecord(1)
    table.onSessionUp(peer.key, at: peer.endpoints[0], weDialled: true, now: at(0), into: &effects)
    let question = GetRecord(key: peer.key).message
    #expect(effects == [.datagram(to: peer.key, at: peer.endpoints[0], message: question)])
    let answer = RecordWithAttributes(record: peer, block: []).message
    table.onMessage(answer, from: peer.key, now: at(0), into: &effects)
    #expect(table.count == 1)
    // Nobody asks twice, so that a second answer is a fault.
    effects = []
    table.onMessage(answer, from: peer.key, now: at(0), into: &effects)
    #expect(effects == [.fault(peer.key, .unasked(.record))])
  }

  @Test func loadedRecordsAreUnproven() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    let rows = [1, 2].map { (key: makeRecord($0).key.bytes, value: makeRecord($0).encoded) }
    table.load(rows + [(key: [9], value: [1, 2, 3])], now: at(0), into: &effects)
    #expect(table.count == 0 && table.closest(to: table.id, count: 8).isEmpty)
    #expect(effects.count { if case .wantSession = $0 { true } else { false } } == 2)
    #expect(effects.contains(.delete(table: 1, key: [9])))
  }

  @Test func proofsUnderWayAndTheQueueAreBounded() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    for number in 1...TableLimits.unproven + 50 { table.learned(makeRecord(number), now: at(0), into: &effects) }
    let dialled = effects.count { if case .wantSession = $0 { true } else { false } }
    #expect(dialled == TableLimits.proofsUnderWay)
    #expect(table.proofs.waiting.count <= TableLimits.unproven)
    // An attempt without an answer makes room for the next.
    effects = []
    table.wake(now: at(4), into: &effects)
    #expect(effects.count { if case .wantSession = $0 { true } else { false } } == TableLimits.proofsUnderWay)
  }

  @Test func aNewAddressIsProvenBeforeItIsHandedOut() {
    var table = makeTable(0)
    let old = makeRecord(1)
    let moved = makeRecord(1, counter: 1, port: 9000)
    _ = prove(old, in: &table, now: at(0))
    var effects: [TableEffect] = []
    table.learned(moved, now: at(1), into: &effects)
    #expect(table.closest(to: table.id, count: 1) == [old])
    table.onSessionUp(moved.key, at: moved.endpoints[0], weDialled: true, now: at(1), into: &effects)
    #expect(table.closest(to: table.id, count: 1) == [moved])
  }

  /// Lets time pass without any answer.
  func silence(_ table: inout RoutingTable, until end: Double) -> [TableEffect] {
    var effects: [TableEffect] = []
    while let next = table.nextDeadline, next <= at(end) { table.wake(now: next, into: &effects) }
    return effects
  }

  @Test func aSilentEntryIsNoLongerServedAndIsReplacedWhenDead() {
    var table = makeTable(0)
    _ = prove(makeRecord(1), in: &table, now: at(0))
    _ = silence(&table, until: 25)
    #expect(table.closest(to: table.id, count: 8).isEmpty)
    #expect(table.count == 1)
    // Any packet of its own brings it back.
    table.onPacket(from: makeRecord(1).key, now: at(26))
    #expect(table.closest(to: table.id, count: 8).count == 1)
    // Without a replacement it keeps its place until it is forgotten.
    _ = silence(&table, until: 3600)
    #expect(table.count == 1)
    let effects = silence(&table, until: 3 * 24 * 3600)
    #expect(table.count == 0 && effects.contains(.removed(makeRecord(1).key)))
    #expect(effects.contains(.delete(table: 1, key: makeRecord(1).key.bytes)))
  }

  @Test func aPongIsCountedByItsNonce() {
    var table = makeTable(0)
    let peer = makeRecord(1)
    _ = prove(peer, in: &table, now: at(0))
    var effects: [TableEffect] = []
    var nonce: UInt64?
    while nonce == nil, let next = table.nextDeadline {
      table.wake(now: next, into: &effects)
      for case .datagram(_, _, let message) in effects {
        if case .ping(let sent)? = try? HopMessage(message) { nonce = sent }
      }
      effects = []
      if nonce != nil {
        let wrong = HopMessage.pong(nonce: nonce! &+ 1, observed: peer.endpoints[0]).bytes
        table.onMessage(wrong, from: peer.key, now: next, into: &effects)
        #expect(table.buckets[0].entries[0].roundTrip == nil || table.buckets.count == 1)
        #expect(table.buckets[0].entries[0].roundTrip == nil)
      }
    }
    #expect(nonce != nil)
  }

  @Test func findIsAnsweredInTwoDatagramsAndLimitedPerSession() throws {
    var table = makeTable(0)
    for number in 1...40 { _ = prove(makeRecord(number), in: &table, now: at(0)) }
    let asker = makeRecord(1)
    let find = Find(id: 77, target: table.id, count: 16)
    var effects: [TableEffect] = []
    table.onMessage(find.message, from: asker.key, now: at(0), into: &effects)
    let parts = try effects.compactMap { effect -> Nodes? in
      guard case .datagram(asker.key, asker.endpoints[0], let message) = effect else { return nil }
      #expect(message.count <= Nodes.byteCountMax)
      return try Nodes(message: message)
    }
    #expect(parts.map(\.records.count) == [8, 8])
    // Nobody is told of himself.
    #expect(!parts.flatMap(\.records).contains { $0.key == asker.key })
    effects = []
    for _ in 0..<TableLimits.findBurst { table.onMessage(find.message, from: asker.key, now: at(0), into: &effects) }
    #expect(effects.last == .fault(asker.key, .tooManyQuestions))
    effects = []
    table.onMessage(find.message, from: asker.key, now: at(1), into: &effects)
    #expect(effects.count == 2)
  }

  @Test func anAddressOfANarrowerScopeIsNotPassedOn() throws {
    let identity = try Identity(seed: seed(5000))
    let loopback = Endpoint("127.0.0.1:1")!
    let bytes = NodeRecord.signedBytes(
      mesh: testMesh, key: identity.publicKey, number: RecordNumber(epoch: 1, counter: 0), attributes: .zero,
      endpoints: [loopback])
    let record = NodeRecord(
      key: identity.publicKey, number: RecordNumber(epoch: 1, counter: 0), attributes: .zero, endpoints: [loopback],
      signature: identity.sign(bytes))
    var table = makeTable(0)
    var effects: [TableEffect] = []
    table.learned(record, now: at(0), into: &effects)
    // This host stands at 10.0.0.1: another machine's loopback is not there.
    #expect(effects.isEmpty)
  }

  @Test func randomIDsHaveTheirRank() {
    var table = makeTable(3)
    for rank in [0, 1, 7, 8, 9, 63, 64, 100, 255] {
      for _ in 0..<20 { #expect(table.rank(of: table.randomID(rank: rank)) == rank) }
    }
  }

  @Test func lookupsUnderWayAreBounded() {
    var table = makeTable(0)
    _ = prove(makeRecord(1), in: &table, now: at(0))
    var effects: [TableEffect] = []
    for _ in 0..<TableLimits.lookups { #expect(table.lookup(table.id, now: at(0), into: &effects) != nil) }
    #expect(table.lookup(table.id, now: at(0), into: &effects) == nil)
  }

  @Test func aLookupWithoutAnybodyEndsAtOnce() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    let name = table.lookup(table.id, now: at(0), into: &effects)
    #expect(effects == [.found(name!, target: table.id, records: [], asked: 0)])
  }

  @Test(arguments: [[], [0x10, 1, 2], [0x11], [0x12, 5], [0x13, 1], [0x02], [0x01], [0x99]] as [[UInt8]])
  func bytesThatMeanNothingAreTheirSendersFault(_ message: [UInt8]) {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    table.onMessage(message, from: makeRecord(1).key, now: at(0), into: &effects)
    guard case .fault(_, .undecodable)? = effects.first else {
      Issue.record("no fault: \(effects)")
      return
    }
  }
}

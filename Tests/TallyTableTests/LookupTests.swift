// Lookups over a simulated network of 2,000 hosts of which every fifth is dead, in virtual time.
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyTable

/// A network of tables: only what a lookup needs. Sessions come up by themselves where the host lives.
struct LookupNetwork {
  let records: [NodeRecord]
  let ids: [NodeID]
  let dead: Set<PublicKey>
  let index: [PublicKey: Int]
  var tables: [Int: RoutingTable] = [:]
  var generator = Generator(seed: Bytes32(word0: 9, word1: 9, word2: 9, word3: 9), stream: 0)
  var sent = 0

  init(count: Int) {
    records = (0..<count).map { makeRecord($0) }
    ids = records.map(nodeID)
    dead = Set(records.indices.filter { $0 % 5 == 4 }.map { [r = records] in r[$0].key })
    index = Dictionary(uniqueKeysWithValues: records.enumerated().map { ($1.key, $0) })
  }

  /// A host's table as refreshes leave it: its neighbourhood and a random part of the rest. Dead hosts are in it too,
  /// since they died after they were met.
  mutating func table(_ number: Int) -> RoutingTable {
    if let table = tables[number] { return table }
    var table = makeTable(number)
    let near = ids.indices.sorted {
      ids[$0].raw.distance(to: ids[number].raw) < ids[$1].raw.distance(to: ids[number].raw)
    }
    var known = Array(near[1...30])
    for _ in 0..<120 { known.append(generator.below(records.count)) }
    for other in known where other != number { _ = prove(records[other], in: &table, now: at(0)) }
    tables[number] = table
    return table
  }

  /// Runs one lookup to its end. The link takes 20 ms each way; the dead say nothing.
  mutating func lookup(_ target: NodeID, from start: Int) -> (records: [NodeRecord], asked: Int)? {
    var origin = table(start)
    var now = at(100)
    var effects: [TableEffect] = []
    guard origin.lookup(target, now: now, into: &effects) != nil else { return nil }
    var flying: [(arrives: Instant, peer: PublicKey, message: [UInt8])] = []
    while true {
      for effect in effects {
        if case .found(_, _, let records, let asked) = effect { return (records, asked) }
        guard case .datagram(let peer, let place, let message) = effect, message[0] == 0x10, !dead.contains(peer),
          let number = index[peer], records[number].endpoints[0] == place
        else { continue }
        sent += 1
        var table = table(number)
        let asker = records[start]
        var answers: [TableEffect] = []
        table.onSessionUp(asker.key, at: asker.endpoints[0], weDialled: false, now: now, into: &answers)
        answers = []
        table.onMessage(message, from: asker.key, now: now, into: &answers)
        tables[number] = table
        for case .datagram(_, _, let message) in answers {
          flying.append((now + .milliseconds(40), peer, message))
        }
      }
      effects = []
      let arrival = flying.map(\.arrives).min()
      guard let next = [arrival, origin.nextDeadline].compactMap({ $0 }).min() else { return nil }
      now = max(now, next)
      for packet in flying where packet.arrives <= now {
        origin.onMessage(packet.message, from: packet.peer, now: now, into: &effects)
      }
      flying.removeAll { $0.arrives <= now }
      origin.wake(now: now, into: &effects)
    }
  }
}

struct LookupTests {
  @Test func aLookupAmong2000HostsWithAFifthDeadFindsTheTrueClosest() throws {
    var network = LookupNetwork(count: 2000)
    var generator = Generator(seed: Bytes32(word0: 4, word1: 4, word2: 4, word3: 4), stream: 0)
    var questions: [Int] = []
    var right = 0
    let runs = 25
    for run in 0..<runs {
      let target = NodeID(raw: generator.bytes32())
      var start = generator.below(network.records.count)
      if network.dead.contains(network.records[start].key) { start -= 1 }
      let alive = network.ids.indices.filter { !network.dead.contains(network.records[$0].key) && $0 != start }
      let expected = alive.sorted {
        network.ids[$0].raw.distance(to: target.raw) < network.ids[$1].raw.distance(to: target.raw)
      }.prefix(8).map { network.records[$0] }
      let outcome = network.lookup(target, from: start)
      let found = try #require(outcome, "run \(run)")
      #expect(found.records.first == expected.first, "run \(run) missed the closest")
      #expect(found.records.allSatisfy { !network.dead.contains($0.key) })
      if found.records == expected { right += 1 }
      questions.append(found.asked)
    }
    #expect(right >= runs * 95 / 100, "\(right) of \(runs) found all eight")
    questions.sort()
    #expect(questions[runs * 95 / 100] <= 60, "questions: \(questions)")
  }

  @Test func aLookupAsksTwoAtATimeAndLateOnesDoNotHoldItUp() {
    var lookup = Lookup(target: NodeID(raw: .zero), isInternal: false)
    for number in 0..<20 {
      let record = makeRecord(number)
      lookup.add(
        Lookup.Candidate(
          record: record, distance: nodeID(record).raw, endpoint: record.endpoints[0], teller: nil,
          roundTrip: RoundTrip()))
    }
    let first = lookup.next!.record.key
    lookup.mark(first, .asked)
    let second = lookup.next!.record.key
    lookup.mark(second, .asked)
    #expect(lookup.next == nil)
    lookup.mark(first, .overdue)
    #expect(lookup.next != nil)
    // A late answer is an answer.
    lookup.mark(first, .answered)
    #expect(lookup.results.map(\.key) == [first])
  }

  @Test func aLookupKeepsABoundedListAndAsksABoundedNumber() {
    var lookup = Lookup(target: NodeID(raw: .zero), isInternal: false)
    for number in 0..<200 {
      let record = makeRecord(number)
      lookup.add(
        Lookup.Candidate(
          record: record, distance: nodeID(record).raw, endpoint: record.endpoints[0], teller: nil,
          roundTrip: RoundTrip()))
    }
    #expect(lookup.candidates.count == TableLimits.lookupCandidates)
    #expect(zip(lookup.candidates, lookup.candidates.dropFirst()).allSatisfy { $0.distance < $1.distance })
    var asked = 0
    while let candidate = lookup.next {
      lookup.mark(candidate.record.key, .asked)
      lookup.mark(candidate.record.key, .failed)
      asked += 1
      let record = makeRecord(1000 + asked)
      lookup.add(
        Lookup.Candidate(
          record: record, distance: nodeID(record).raw, endpoint: record.endpoints[0], teller: nil,
          roundTrip: RoundTrip()))
    }
    #expect(asked == TableLimits.lookupQuestions && lookup.isDone)
  }

  @Test func anAnswerThatNobodyAskedForIsAFault() {
    var table = makeTable(0)
    var effects: [TableEffect] = []
    let message = Nodes(id: 5, part: 0, partCount: 1, records: [makeRecord(7)]).message
    table.onMessage(message, from: makeRecord(1).key, now: at(0), into: &effects)
    #expect(effects == [.fault(makeRecord(1).key, .unasked(.nodes))])
  }
}

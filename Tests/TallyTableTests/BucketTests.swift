// Capacity, eviction and the first two laws: only our own handshake opens the table, and a live entry never gives way.
import TallyBase
import TallyWire
import Testing

@testable import TallyTable

struct BucketTests {
  func entry(_ number: Int) -> TableEntry {
    let record = makeRecord(number)
    return TableEntry(record: record, id: nodeID(record), endpoint: record.endpoints[0], now: at(0))
  }

  @Test func ranksHaveTheirCapacities() {
    #expect((0..<6).map { Bucket(rank: $0).capacity } == [256, 128, 64, 32, 16, 16])
    #expect(Bucket(rank: 255).capacity == 16)
  }

  @Test func aFullBucketOfLiveEntriesKeepsThemAll() {
    var bucket = Bucket(rank: 10)
    for number in 0..<16 { #expect(bucket.admit(entry(number)) == .entered) }
    let before = bucket.entries.map(\.key)
    for number in 16..<24 { #expect(bucket.admit(entry(number)) == .waits(inPlaceOf: nil)) }
    #expect(!bucket.hasRoom)
    #expect(bucket.admit(entry(24)) == .waits(inPlaceOf: entry(16).key))
    #expect(bucket.entries.map(\.key) == before)
    #expect(bucket.replacements.count == TableLimits.replacements)
  }

  @Test func aDeadEntryGivesWay() {
    var bucket = Bucket(rank: 10)
    for number in 0..<16 { _ = bucket.admit(entry(number)) }
    let victim = entry(3).key
    _ = bucket.update(victim) { $0.failures = TableLimits.failuresDead }
    #expect(bucket.admit(entry(20)) == .tookPlace(of: victim))
    #expect(bucket.entries.count == 16 && bucket.index(of: victim) == nil)
  }

  @Test func aReplacementTakesThePlaceOfADeadEntryOnly() {
    var bucket = Bucket(rank: 10)
    for number in 0..<18 { _ = bucket.admit(entry(number)) }
    #expect(bucket.replace(entry(0).key) == nil)
    _ = bucket.update(entry(0).key) { $0.failures = TableLimits.failuresDead }
    #expect(bucket.replace(entry(0).key)?.key == entry(17).key)
    #expect(bucket.entries.count == 16 && bucket.replacements.map(\.key) == [entry(16).key])
  }

  @Test func meetingAnEntryAgainRenewsIt() {
    var bucket = Bucket(rank: 10)
    _ = bucket.admit(entry(1))
    _ = bucket.update(entry(1).key) { $0.failures = 2 }
    #expect(bucket.admit(entry(1)) == .updated)
    #expect(bucket.entries[0].failures == 0)
  }
}

struct RecordCacheTests {
  @Test func aRecordIsVerifiedOnceAndANewerNumberWins() {
    var cache = RecordCache(mesh: testMesh, limit: 8)
    #expect(cache.check(makeRecord(1, counter: 1)) == .newer)
    #expect(cache.check(makeRecord(1, counter: 1)) == .same)
    #expect(cache.check(makeRecord(1, counter: 0)) == .older)
    #expect(cache.verifications == 1)
    #expect(cache.check(makeRecord(1, counter: 2)) == .newer)
    #expect(cache.check(makeRecord(1, counter: 0, epoch: 2)) == .newer)
  }

  @Test func oneNumberWithOtherBytesIsEquivocationAndTheFirstStays() {
    var cache = RecordCache(mesh: testMesh, limit: 8)
    _ = cache.check(makeRecord(1, port: 1))
    #expect(cache.check(makeRecord(1, port: 2)) == .equivocation)
    #expect(cache[makeRecord(1).key] == makeRecord(1, port: 1))
  }

  @Test func aForgedRecordIsBad() {
    var cache = RecordCache(mesh: testMesh, limit: 8)
    let good = makeRecord(1)
    let forged = NodeRecord(
      key: good.key, number: good.number, attributes: good.attributes, endpoints: makeRecord(2).endpoints,
      signature: good.signature)
    #expect(cache.check(forged) == .bad)
    var elsewhere = RecordCache(mesh: MeshID(raw: .zero), limit: 8)
    #expect(elsewhere.check(good) == .bad)
  }

  @Test func theCacheIsBounded() {
    var cache = RecordCache(mesh: testMesh, limit: 4)
    for number in 0..<10 { _ = cache.check(makeRecord(number)) }
    #expect(cache.count == 4)
    #expect(cache[makeRecord(9).key] != nil && cache[makeRecord(0).key] == nil)
  }
}

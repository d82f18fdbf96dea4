import TallyLog
import TallyWire
import Testing

@Suite struct LedgerLimitsTests {
  /// What the ledger promises to send must fit what the wire takes.
  @Test func limitsFitTheWire() {
    #expect(LedgerLimits.commitEntries <= WireLimits.chunkEntries)
    #expect(LedgerLimits.commitBytes <= WireLimits.commitBytes)
    #expect(LedgerLimits.aboutYouHeads <= WireLimits.aboutYouFeeds)
  }
}

// Owns: what the open turn will make durable: the operations of all parts in one transaction.
import TallyBase
import TallyLog

struct OpenTurn: Sendable {
  private(set) var nextCommit: UInt64 = 1
  private var operations: [StoreOperation] = []
  private var guardMark: GuardMark?

  mutating func add(_ operation: StoreOperation) { operations.append(operation) }
  mutating func add(_ mark: GuardMark) { guardMark = mark }

  /// The commit of this turn; nil when there is nothing to store.
  mutating func close() -> Commit? {
    guard !operations.isEmpty || guardMark != nil else { return nil }
    let commit = Commit(number: nextCommit, operations: operations, guardMark: guardMark)
    nextCommit += 1
    operations = []
    guardMark = nil
    return commit
  }
}

/// The node's own rows in the store's settings.
enum Settings {
  private static let epochKey = Array("boot epoch".utf8)

  static func epoch(in recovered: Recovered) -> UInt64? {
    guard let row = recovered.values.first(where: { $0.table == .settings && $0.key == epochKey }) else { return nil }
    var reader = ByteReader(row.value)
    do throws(DecodeError) {
      return try reader.u64()
    } catch {
      return nil
    }
  }

  /// Durable before the first record is signed: the daemon waits for this commit before it opens its sockets.
  static func storeEpoch(_ epoch: UInt64) -> StoreOperation {
    var writer = ByteWriter(capacity: 8)
    writer.u64(epoch)
    return .put(table: .settings, key: epochKey, value: writer.bytes)
  }
}

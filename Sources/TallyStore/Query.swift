// Owns: every statement the store runs more than once. Row keys are described in Schema.swift.

enum Query: Int, CaseIterable {
  case begin, commit, beginRead
  case insertFeed, selectFeed, selectFeedsFrom, selectOwnFeed, updateFeed, updateFork
  case insertTail, deleteTail, selectTail, insertChunk, selectChunkAt
  case insertNode, selectNode
  case upsertAcknowledged, selectAcknowledged
  case upsertValue, deleteValue, selectValue, selectValues
  case upsertGuard, selectGuards

  static let feedColumns = """
    SELECT id, feed, author, incarnation, reason, size, root, signature, peaks, tail_from, tail_bytes, fork_index, \
    fork_proof FROM feed
    """

  var text: String {
    switch self {
    case .begin: "BEGIN IMMEDIATE"
    case .commit: "COMMIT"
    case .beginRead: "BEGIN DEFERRED"
    case .insertFeed:
      """
      INSERT INTO feed(feed, author, incarnation, reason, size, peaks, tail_from, tail_bytes)
      VALUES (?1, ?2, ?3, ?4, 0, x'', 0, 0) ON CONFLICT(feed) DO NOTHING
      """
    case .selectFeed: "\(Query.feedColumns) WHERE feed = ?1"
    case .selectFeedsFrom: "\(Query.feedColumns) WHERE feed > ?1 ORDER BY feed LIMIT 256"
    case .selectOwnFeed: "\(Query.feedColumns) WHERE reason = 0 AND incarnation = ?1 LIMIT 1"
    case .updateFeed:
      """
      UPDATE feed SET size = ?2, root = ?3, signature = ?4, peaks = ?5, tail_from = ?6, tail_bytes = ?7
      WHERE id = ?1
      """
    case .updateFork: "UPDATE feed SET fork_index = ?2, fork_proof = ?3 WHERE id = ?1"
    case .insertTail: "INSERT INTO tail(id, preimage) VALUES (?1, ?2)"
    case .deleteTail: "DELETE FROM tail WHERE id >= ?1 AND id < ?2"
    case .selectTail: "SELECT id, preimage FROM tail WHERE id >= ?1 AND id < ?2 ORDER BY id"
    case .insertChunk: "INSERT INTO chunk(id, size, root, signature, packed) VALUES (?1, ?2, ?3, ?4, ?5)"
    case .selectChunkAt:
      "SELECT id, size, root, signature, packed FROM chunk WHERE id <= ?1 AND id >= ?2 ORDER BY id DESC LIMIT 1"
    case .insertNode: "INSERT INTO node(id, hash) VALUES (?1, ?2)"
    case .selectNode: "SELECT hash FROM node WHERE id = ?1"
    case .upsertAcknowledged:
      """
      INSERT INTO acknowledged(feed, host, size) VALUES (?1, ?2, ?3)
      ON CONFLICT(feed, host) DO UPDATE SET size = max(size, excluded.size)
      """
    case .selectAcknowledged: "SELECT host, size FROM acknowledged WHERE feed = ?1 ORDER BY host"
    case .upsertValue:
      """
      INSERT INTO value(part, key, value) VALUES (?1, ?2, ?3)
      ON CONFLICT(part, key) DO UPDATE SET value = excluded.value
      """
    case .deleteValue: "DELETE FROM value WHERE part = ?1 AND key = ?2"
    case .selectValue: "SELECT value FROM value WHERE part = ?1 AND key = ?2"
    case .selectValues:
      "SELECT part, key, value FROM value ORDER BY part, key"
    case .upsertGuard:
      """
      INSERT INTO guard(incarnation, size, root) VALUES (?1, ?2, ?3)
      ON CONFLICT(incarnation) DO UPDATE SET size = excluded.size, root = excluded.root
      """
    case .selectGuards: "SELECT incarnation, size, root FROM guard ORDER BY id DESC"
    }
  }
}

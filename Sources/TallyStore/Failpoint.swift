// Owns: the named places where a test may stop the process or make a call fail. In a build without
// -DTALLY_FAILPOINTS nothing of it remains. TALLY_FAILPOINT = name:count:exit | error | full, for example
// "store.beforeCommit:3:exit": the third time that the place is reached.
import Glibc
import Synchronization
import TallyLog

public enum Failpoint: String, CaseIterable, Sendable {
  case schemaBegin = "schema.begin"
  case schemaCommitted = "schema.committed"
  case storeBegin = "store.begin"
  case storeOperation = "store.operation"
  case storeFold = "store.fold"
  case storeBeforeCommit = "store.beforeCommit"
  case storeAfterCommit = "store.afterCommit"
  case storeBeforeCheckpoint = "store.beforeCheckpoint"
  case storeAfterCheckpoint = "store.afterCheckpoint"
  case guardBeforeWrite = "guard.beforeWrite"
  case guardAfterWrite = "guard.afterWrite"
  case guardAfterSync = "guard.afterSync"
  case guardBeforeRename = "guard.beforeRename"
  case guardAfterRename = "guard.afterRename"
  case guardAfterDirectorySync = "guard.afterDirectorySync"
  case identityAfterSync = "identity.afterSync"
  case identityAfterRename = "identity.afterRename"
  case cleanBeforeMark = "clean.beforeMark"
  case cleanAfterMark = "clean.afterMark"
  case blobLeaf = "blob.leaf"
  case blobAfterLeaf = "blob.afterLeaf"
  case blobFooter = "blob.footer"
  case blobAfterSync = "blob.afterSync"
  case blobAfterRename = "blob.afterRename"
  case blobAfterDirectorySync = "blob.afterDirectorySync"

  /// The exit code of a process stopped here.
  public static let exitCode: CInt = 86

  /// What happens when the armed place is reached for the armed time.
  public enum Action: String, Sendable { case exit, error, full }

  #if TALLY_FAILPOINTS
    private struct Armed: Sendable {
      let point: Failpoint
      var left: Int
      let action: Action
    }
    private static let armed = Mutex<Armed?>(fromEnvironment())

    /// For tests of this process: replaces what the environment said; nil disarms.
    public static func arm(_ point: Failpoint?, count: Int = 1, action: Action = .error) {
      armed.withLock { state in state = point.map { Armed(point: $0, left: count, action: action) } }
    }

    /// True when nothing is armed any more, because it fired.
    public static var hasFired: Bool { armed.withLock { $0 == nil } }

    private static func fromEnvironment() -> Armed? {
      guard let text = FileStorage.environment("TALLY_FAILPOINT") else { return nil }
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3, let point = Failpoint(rawValue: parts[0]), let count = Int(parts[1]), count > 0,
        let action = Action(rawValue: parts[2])
      else {
        preconditionFailure("TALLY_FAILPOINT=\(text): want name:count:exit|error|full, names: \(allCases)")
      }
      return Armed(point: point, left: count, action: action)
    }
  #endif

  /// Passes, unless this place is armed and due.
  @inline(__always)
  static func reach(_ point: Failpoint) throws(StoreFault) {
    #if TALLY_FAILPOINTS
      let action: Action? = armed.withLock { state in
        guard let current = state, current.point == point else { return nil }
        state?.left = current.left - 1
        if current.left > 1 { return nil }
        state = nil
        return current.action
      }
      switch action {
      case nil: return
      case .exit: _exit(exitCode)
      case .error: throw .broken(detail: "failpoint \(point.rawValue)")
      case .full: throw .full(detail: "failpoint \(point.rawValue)")
      }
    #endif
  }
}

extension Failpoint {
  /// The same among file calls: the armed fault comes as a failed call.
  static func reach(file point: Failpoint) throws(FileError) {
    do throws(StoreFault) { try reach(point) } catch {
      switch error {
      case .full: throw FileError(call: "write", path: point.rawValue, code: ENOSPC)
      case .broken: throw FileError(call: "fsync", path: point.rawValue, code: EIO)
      }
    }
  }
}

// Owns: what can go wrong on this machine, by call and path. Refuses to know: what a job did; that is a reason.

/// A system call that failed, or a tree or archive that may not be unpacked.
public enum WorkerFault: Error, Hashable, Sendable {
  /// The world's fault: `call` on `path` failed with `code` (errno).
  case system(call: String, path: String, code: Int32)
  /// The tree's or archive's fault: `why` at `path`.
  case unsafeTree(path: String, why: String)
  /// A limit of `WorkerLimits` was reached.
  case limit(name: String, value: UInt64)
  /// A blob could not be fetched, or was not what its name says.
  case blob(why: String)
}

extension WorkerFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let call, let path, let code): "\(call) \(path): \(SystemCall.words(for: code))"
    case .unsafeTree(let path, let why): "\(path): \(why)"
    case .limit(let name, let value): "more than \(name) \(value)"
    case .blob(let why): why
    }
  }
}

/// Why a job could not be begun. Nothing of the job has run.
public enum SandboxFault: Error, Hashable, Sendable {
  /// The specification is not one that can be run; the fault of whoever made it.
  case invalid(String)
  /// This machine cannot run sandboxes now; `cause` is bubblewrap's or the kernel's, `fix` what the operator can do.
  case unavailable(cause: String, fix: String)
}

extension SandboxFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalid(let why): why
    case .unavailable(let cause, let fix): fix.isEmpty ? cause : "\(cause); \(fix)"
    }
  }
}

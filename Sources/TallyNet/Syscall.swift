// Owns: the one way from Swift into the kernel: EINTR, EAGAIN, and the errors that are our own fault.
// Refuses to know: any single call. Its model is swift-nio's `syscall { }`.
import Glibc

/// What a call on a non-blocking descriptor came to.
enum Progress: Equatable {
  case done(Int)
  case wouldBlock
}

/// Runs one system call until it is not interrupted. `body` returns a number, or the negated errno.
///
/// EBADF, EFAULT, ENOTSOCK and EINVAL on a descriptor of ours mean that this program is wrong: it stops, with the
/// call's name. `outsideAddress` says that the call takes an address chosen by a peer or an operator; then EINVAL is
/// theirs (a port of 0, a link-local address without a zone) and is thrown, for no peer may stop a daemon.
@inline(__always)
func syscall<Number: SignedInteger>(
  _ call: StaticString, outsideAddress: Bool = false, _ body: () -> Number
) throws(SystemError) -> Progress {
  while true {
    let value = ForcedErrors.next(call) ?? Int(body())
    if value >= 0 { return .done(value) }
    let code = CInt(-value)
    switch code {
    case EINTR: continue
    case EAGAIN: return .wouldBlock
    default:
      precondition(!isOurFault(code, outsideAddress), "\(call) on our own descriptor failed with errno \(code)")
      throw SystemError(call: call.description, code: code)
    }
  }
}

/// As `syscall`, for a call that has no reason to block: EAGAIN is an error like any other.
@discardableResult
func required<Number: SignedInteger>(
  _ call: StaticString, outsideAddress: Bool = false, _ body: () -> Number
) throws(SystemError) -> CInt {
  switch try syscall(call, outsideAddress: outsideAddress, body) {
  case .done(let value): return CInt(truncatingIfNeeded: value)
  case .wouldBlock: throw SystemError(call: call.description, code: EAGAIN)
  }
}

private func isOurFault(_ code: CInt, _ outsideAddress: Bool) -> Bool {
  code == EBADF || code == EFAULT || code == ENOTSOCK || (code == EINVAL && !outsideAddress)
}

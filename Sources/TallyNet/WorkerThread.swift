// Owns: one thread of the kernel, from its start to its join. Refuses to know: what it works on.
import CLinux

/// A thread with a name. Everything its body uses is `Sendable`: values in, `Mailbox` out. Signals are blocked in it.
/// A thread that is never joined is let go when this value ends.
public struct WorkerThread: ~Copyable, Sendable {
  private let handle: UInt64

  /// Carries the body over the C boundary.
  private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }

  /// Starts `body` on a thread called `name` (15 bytes are kept). EAGAIN: the system's limit on threads.
  public init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    // Safe: `passRetained` gives the new thread one reference, which it takes exactly once; when no thread was made,
    // we take it back. The body is Sendable, so it may run there.
    let context = unsafe Unmanaged.passRetained(Body(name, body))
    var handle: UInt64 = 0
    let code = unsafe clinux_thread_start(
      &handle,
      { context in
        guard let context = unsafe context else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
        _ = unsafe clinux_thread_name(body.name)
        body.run()
        return nil
      },
      context.toOpaque())
    if code < 0 {
      unsafe context.release()
      throw SystemError(call: "pthread_create", code: -code)
    }
    self.handle = handle
  }

  deinit { _ = clinux_thread_detach(handle) }

  /// Waits until the body has returned.
  public consuming func join() {
    let handle = handle
    discard self
    let code = clinux_thread_join(handle)
    precondition(code == 0, "joining a thread failed with errno \(-code)")
  }
}

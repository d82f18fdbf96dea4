import CLinux
import Glibc
import Synchronization
import TallyBase
import Testing

@testable import TallyNet

@Suite struct ThreadTests {
  @Test func mailFromThreadsWakesTheLoop() throws {
    let loop = try Loop()
    let mail = Mailbox<Int>(capacity: 4000, waking: loop.net.wakeUp)
    var threads: [WorkerBox] = []
    for number in 0..<4 {
      threads.append(
        try WorkerBox(name: "sender \(number)") {
          for value in 0..<1000 where !mail.put(number * 1000 + value) { preconditionFailure("the mailbox is full") }
        })
    }
    var values: [Int] = []
    try loop.run { loop in
      guard loop.events.contains(.woken) else { return false }
      loop.events = []
      values += mail.takeAll()
      return values.count == 4000
    }
    for thread in threads { thread.join() }
    #expect(values.sorted() == Array(0..<4000))
    for number in 0..<4 {
      let own = values.filter { $0 / 1000 == number }
      #expect(own == own.sorted())
    }
  }

  /// Loop → worker → loop, one by one: a wake-up that is lost once stops this for ever.
  @Test func noWakeUpIsLost() throws {
    let loop = try Loop()
    let work = Mailbox<Int>(capacity: 1, waking: try WakeUp())
    let answers = Mailbox<Int>(capacity: 1, waking: loop.net.wakeUp)
    let worker = try WorkerBox(name: "worker") {
      do throws(SystemError) {
        while let values = try work.waitAll() {
          for value in values where !answers.put(value + 1) { preconditionFailure("no room for an answer") }
        }
      } catch {
        preconditionFailure("\(error)")
      }
    }
    for number in 0..<5000 {
      #expect(work.put(number))
      var taken: [Int] = []
      try loop.run { _ in
        taken += answers.takeAll()
        return taken == [number + 1]
      }
    }
    work.close()
    worker.join()
  }

  @Test func mailboxesAreBoundedAndClose() throws {
    let mail = Mailbox<String>(capacity: 2, waking: try WakeUp())
    #expect(mail.put("a") && mail.put("b") && !mail.put("c"))
    #expect(mail.count == 2)
    #expect(try mail.waitAll() == ["a", "b"])
    #expect(mail.put("d"))
    mail.close()
    #expect(!mail.put("e"))
    #expect(try mail.waitAll() == ["d"])
    #expect(try mail.waitAll() == nil)
    #expect(mail.takeAll().isEmpty)
  }

  @Test func pokesAreCountedOnce() throws {
    let loop = try Loop()
    for _ in 0..<100 { loop.net.wakeUp.wake() }
    try loop.turn(ms: 1000)
    #expect(loop.events == [.woken])
    try loop.turn()
    #expect(loop.events == [.woken])
    loop.net.wakeUp.wake()
    try loop.turn(ms: 1000)
    #expect(loop.events == [.woken, .woken])
  }

  @Test func threadsHaveNamesAndNoSignals() throws {
    var before = sigset_t()
    _ = unsafe pthread_sigmask(SIG_SETMASK, nil, &before)
    let mail = Mailbox<(String, Bool)>(capacity: 1, waking: try WakeUp())
    let thread = try WorkerThread(name: "a name that is far too long") {
      let file = Descriptor(taking: unsafe open("/proc/thread-self/comm", O_RDONLY))
      var name = [UInt8](repeating: 0, count: 32)
      let count = unsafe read(file.number, &name, 32)
      var mask = sigset_t()
      _ = unsafe pthread_sigmask(SIG_SETMASK, nil, &mask)
      let isBlocked = unsafe sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1
      let text = String(decoding: name.prefix(max(0, count - 1)), as: UTF8.self)
      _ = mail.put((text, isBlocked))
    }
    thread.join()
    let (name, isBlocked) = try #require(mail.takeAll().first)
    #expect(name == "a name that is " && isBlocked)
    var mask = sigset_t()
    _ = unsafe pthread_sigmask(SIG_SETMASK, nil, &mask)
    // The thread that started it hears what it heard before.
    for signal in 1..<32 as Range<CInt> { #expect(unsafe sigismember(&mask, signal) == sigismember(&before, signal)) }
  }

  /// The body and what it holds are let go when it is over, joined or not.
  @Test func bodiesAreReleased() throws {
    final class Witness: Sendable {
      let mail: Mailbox<Int>
      init(_ mail: Mailbox<Int>) { self.mail = mail }
      deinit { _ = mail.put(1) }
    }
    let mail = Mailbox<Int>(capacity: 2, waking: try WakeUp())
    do {
      let witness = Witness(mail)
      let thread = try WorkerThread(name: "joined") { _ = witness }
      thread.join()
    }
    #expect(try mail.waitAll() == [1])
    do {
      let witness = Witness(mail)
      _ = try WorkerThread(name: "let go") { _ = witness }
    }
    #expect(try mail.waitAll() == [1])
  }
}

/// A `WorkerThread` that an array can hold.
final class WorkerBox {
  private var thread: WorkerThread?
  init(name: String, _ body: @escaping @Sendable () -> Void) throws { thread = try WorkerThread(name: name, body) }
  func join() { thread.take()?.join() }
}

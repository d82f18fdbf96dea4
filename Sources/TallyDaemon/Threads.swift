// Owns: the four threads beside the loop: store writer, store reader, checker, blobs. Each takes values from a mailbox
// and leaves values in the loop's. Refuses to know: the node.
import TallyBase
import TallyCrypto
import TallyLog
import TallyNet
import TallyNode
import TallyStore
import TallyWire

/// Limits of the mailboxes. What may wait is bounded by who asks: the node keeps one check a feed, a capped number of
/// reads a peer, at most 4,096 open tasks of a few hundred files each, and the loop pauses clients.
enum ThreadLimits {
  static let commits = 4096
  static let reads = 65_536
  static let checks = 65_536
  static let blobs = 1 << 22
  static let results = 1 << 23
}

struct Threads: ~Copyable {
  let results: Mailbox<ThreadResult>
  let commits: Mailbox<WriteJob>
  let reads: Mailbox<ReadJob>
  let checks: Mailbox<CheckJob>
  let blobs: Mailbox<BlobJob>
  private let writer: WorkerThread
  private let reader: WorkerThread
  private let checker: WorkerThread
  private let blobber: WorkerThread

  enum WriteJob: Sendable {
    case commit(Commit)
    /// The node has handled a failure: what follows stands on what is stored.
    case resume
  }
  enum ReadJob: Sendable {
    case node(ReadRequest)
    case admin(AdminTag, AdminRead)
  }
  struct CheckJob: Sendable {
    let id: UInt64
    let check: RangeCheck
  }

  init(
    writer: Owned<StoreWriter>, reader: Owned<StoreReader>, blobs store: Owned<BlobStore>, waking loop: WakeUp
  ) throws(SystemError) {
    let results = Mailbox<ThreadResult>(capacity: ThreadLimits.results, waking: loop)
    let commits = Mailbox<WriteJob>(capacity: ThreadLimits.commits, waking: try WakeUp())
    let reads = Mailbox<ReadJob>(capacity: ThreadLimits.reads, waking: try WakeUp())
    let checks = Mailbox<CheckJob>(capacity: ThreadLimits.checks, waking: try WakeUp())
    let blobs = Mailbox<BlobJob>(capacity: ThreadLimits.blobs, waking: try WakeUp())
    let writing = try WorkerThread(name: "tally-writer") { Self.write(commits, writer, results) }
    let reading = try WorkerThread(name: "tally-reader") { Self.read(reads, reader, results) }
    let checking = try WorkerThread(name: "tally-checker") { Self.check(checks, results) }
    let moving = try WorkerThread(name: "tally-blobs") { BlobWorker.run(blobs, store, results) }
    self.results = results
    self.commits = commits
    self.reads = reads
    self.checks = checks
    self.blobs = blobs
    self.writer = writing
    self.reader = reading
    checker = checking
    blobber = moving
  }

  /// Lets every thread finish what it holds, and waits for it.
  consuming func stop() {
    commits.close()
    reads.close()
    checks.close()
    blobs.close()
    writer.join()
    reader.join()
    checker.join()
    blobber.join()
  }

  /// A thread's loop: every batch of `mailbox` to `body`, until it is closed and empty.
  static func serve<Job: Sendable>(_ mailbox: Mailbox<Job>, _ body: ([Job]) -> Void) {
    do throws(SystemError) {
      while let batch = try mailbox.waitAll() { body(batch) }
    } catch {
      preconditionFailure("a thread's own wake-up failed: \(error)")
    }
  }

  static func leave(_ result: ThreadResult, in results: Mailbox<ThreadResult>) {
    precondition(results.put(result), "the loop's mailbox overflowed: \(results.count) results wait")
  }

  /// Waiting commits go into one transaction. After a failure every commit is refused, unreported, until the node has
  /// handled it: none may be stored behind a hole.
  private static func write(
    _ jobs: Mailbox<WriteJob>, _ writer: Owned<StoreWriter>, _ results: Mailbox<ThreadResult>
  ) {
    var isRefusing = false
    serve(jobs) { batch in
      var waiting: [Commit] = []
      for job in batch {
        switch job {
        case .commit(let commit):
          if !isRefusing { waiting.append(commit) }
        case .resume:
          writer.use { $0.resume() }
          isRefusing = false
          waiting = []
        }
      }
      guard let first = waiting.first else { return }
      let commits = waiting
      let (through, fault) = writer.use { (writer) -> (UInt64, StoreFault?) in
        let outcome = writer.apply(commits)
        return (outcome.through, outcome.fault)
      }
      if through >= first.number { leave(.persisted(through: through), in: results) }
      if let fault {
        isRefusing = true
        leave(.persistFailed(from: through + 1, fault), in: results)
      }
    }
  }

  private static func read(
    _ reads: Mailbox<ReadJob>, _ reader: Owned<StoreReader>, _ results: Mailbox<ThreadResult>
  ) {
    serve(reads) { batch in
      for job in batch {
        switch job {
        case .node(let request): leave(.read(reader.use { $0.answer(request) }), in: results)
        case .admin(let tag, let read): leave(.adminRead(tag, AdminReader.answer(read, reader)), in: results)
        }
      }
    }
  }

  private static func check(_ checks: Mailbox<CheckJob>, _ results: Mailbox<ThreadResult>) {
    serve(checks) { batch in
      for job in batch { leave(.checked(id: job.id, job.check.run()), in: results) }
    }
  }
}

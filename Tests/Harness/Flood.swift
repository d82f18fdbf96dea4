// Owns: datagrams at a steady rate against one host of this machine, from a thread of its own.
import Glibc
import Synchronization
import TallyBase
import TallyNet

public final class Flood: Sendable {
  private let isOver = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)
  private let sent = Atomic<Int>(0)
  public let startedAt: Int64

  public var count: Int { sent.load(ordering: .relaxed) }
  public var perSecond: Double { Double(count) / (Double(microsNow() - startedAt) / 1_000_000) }

  /// Sends `frames` round and round, `batch` at once, `rate` a second; ends by itself after `seconds`.
  public init(_ frames: [[UInt8]], to port: UInt16, rate: Int, batch: Int, seconds: Double) throws {
    let peer = try UDPPeer()
    startedAt = microsNow()
    let start = startedAt
    let flood = self
    _ = try WorkerThread(name: "flood") {
      let period = Int64(batch) * 1_000_000 / Int64(rate)
      var place = 0
      var due = start
      while !flood.isOver.load(ordering: .relaxed) && microsNow() - start < Int64(seconds * 1_000_000) {
        let now = microsNow()
        if due > now { usleep(UInt32(due - now)) }
        due += period
        if place + batch > frames.count { place = 0 }
        let left = peer.send(frames[place..<place + batch], to: port)
        place += batch
        if left > 0 { flood.sent.add(left, ordering: .relaxed) }
      }
      flood.hasEnded.store(true, ordering: .releasing)
    }
  }

  /// Stops it and waits for its thread.
  public func end() throws {
    isOver.store(true, ordering: .relaxed)
    try eventually("the flood ends", within: 5, everyMs: 1) { hasEnded.load(ordering: .acquiring) }
  }
}

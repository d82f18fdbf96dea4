// Owns: what will happen, in the order of (time, sequence). Equal times keep the order in which they were scheduled.
import HeapModule
import TallyBase
import TallyLog
import TallyNode

/// Something that happens at one moment. Events of a process carry its generation: a crash makes them void.
enum SimEvent {
  case turn(host: Int, generation: Int, token: UInt64)
  case datagram(host: Int, from: Endpoint, bytes: [UInt8])
  /// A dialled connection reaches its target; then its dialler learns that it stands.
  case dialArrived(connection: Int)
  case dialAnswered(connection: Int)
  case data(connection: Int, toward: Int, bytes: [UInt8])
  case hangUp(connection: Int, toward: Int)
  /// Both ends are told at once; what was on its way is lost.
  case reset(connection: Int)
  case committed(host: Int, generation: Int)
  case guardWritten(host: Int, generation: Int)
  /// Slow work that came back.
  case input(host: Int, generation: Int, Input)
  case worker(host: Int, generation: Int, WorkerStep)
  case fault(Fault)
  /// A record or a job that a host's user orders, by its number in the script; again while it is not answered.
  case record(Int)
  case post(Int)
}

/// What befalls hosts and the network.
public enum Fault: Sendable {
  case start(Int)
  case crash(Int)
  case stop(Int)
  case pause(Int)
  case resume(Int)
  /// Hosts below the number cannot reach the others.
  case cut(below: Int)
  case heal
  case diskFull(Int)
  case diskFree(Int)
  case snapshot(Int)
  case restore(Int, database: Bool, guardFile: Bool)
  case workerCrash(Int)
  /// A process on a copy of the directory, known to the checker or not.
  case twin(Int, isKnown: Bool)
}

struct EventQueue {
  /// Small, so that sifting moves little.
  private struct Item: Comparable {
    let time: Int64
    let sequence: UInt64
    static func < (left: Item, right: Item) -> Bool { (left.time, left.sequence) < (right.time, right.sequence) }
  }

  private var heap = Heap<Item>()
  private var events: [UInt64: SimEvent] = [:]
  private var next: UInt64 = 0

  var nextTime: Int64? { heap.min?.time }
  var count: Int { heap.count }

  mutating func add(_ event: SimEvent, at time: Int64) {
    heap.insert(Item(time: time, sequence: next))
    events[next] = event
    next += 1
  }

  mutating func pop() -> (time: Int64, event: SimEvent)? {
    guard let item = heap.popMin() else { return nil }
    guard let event = events.removeValue(forKey: item.sequence) else {
      preconditionFailure("event \(item.sequence) is gone")
    }
    return (item.time, event)
  }
}

// Owns: one TCP connection of the virtual network: two ordered byte streams. Refuses to know: what is in them.
import TallySession

struct Connection {
  struct End {
    let host: Int
    let generation: Int
    /// The host's own name of it; nil at the accepting end until it is accepted.
    var link: LinkID?
    /// The host still has it open.
    var isAttached = true
    /// Bytes on their way from this end; its sender's queue.
    var queuedBytes = 0
    var isCongested = false
    /// When the last of them arrives: streams keep their order.
    var lastArrival: Int64 = 0
  }

  enum State {
    case dialling
    case open
    case dead
  }

  var ends: [End]
  var state = State.dialling
  /// Bytes were lost to a cut: TCP would retry and give up, so it will be reset.
  var isDoomed = false

  /// Bytes that may wait on one end before its owner is told, may go on, or loses the link. As in the daemon.
  static let queueMax = 4_194_304
  static let congestedAbove = queueMax / 2
  static let drainedBelow = queueMax / 4
}

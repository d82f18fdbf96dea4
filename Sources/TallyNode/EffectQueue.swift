// Owns: effects of the parts that the router has not carried out yet.
import TallyExchange
import TallyGossip
import TallyLog
import TallySession
import TallyTable

/// One list a part. The router empties them round by round, part by part in this order, until all are empty: the order
/// is a function of the inputs alone.
struct EffectQueue: Sendable {
  var session: [SessionEffect] = []
  var table: [TableEffect] = []
  var mesh: [MeshEffect] = []
  var ledger: [LedgerEffect] = []
  var exchange: [ExchangeEffect] = []

  var isEmpty: Bool {
    session.isEmpty && table.isEmpty && mesh.isEmpty && ledger.isEmpty && exchange.isEmpty
  }
}

/// Takes a whole list and leaves it empty.
func take<Element>(_ list: inout [Element]) -> [Element] {
  let taken = list
  list = []
  return taken
}

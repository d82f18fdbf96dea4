// Which links are wanted: all in a small mesh, five in a larger one, connected whatever fails.
import TallyBase
import TallyCrypto
import Testing

@testable import TallyGossip

struct LinkPlanTests {
  static func place(_ number: Int) -> LinkPlan.Place {
    let key = keyOf(number)
    return LinkPlan.Place(
      key: key, id: Names.nodeID(mesh: testMesh, key: key), rings: (1...2).map { LinkPlan.place(ring: $0, key: key) })
  }

  func graph(_ places: [LinkPlan.Place]) -> [PublicKey: Set<PublicKey>] {
    var graph: [PublicKey: Set<PublicKey>] = [:]
    for me in places {
      for target in LinkPlan.targets(me: me, others: places.filter { $0.key != me.key }) {
        graph[me.key, default: []].insert(target)
        graph[target, default: []].insert(me.key)
      }
    }
    return graph
  }

  func isConnected(_ graph: [PublicKey: Set<PublicKey>], without gone: Set<PublicKey>, of places: [LinkPlan.Place]) -> Bool {
    let alive = places.map(\.key).filter { !gone.contains($0) }
    guard let first = alive.first else { return true }
    var seen: Set<PublicKey> = [first]
    var open = [first]
    while let key = open.popLast() {
      for next in graph[key] ?? [] where !gone.contains(next) && seen.insert(next).inserted { open.append(next) }
    }
    return seen.count == alive.count
  }

  @Test(arguments: [1, 2, 5, 8])
  func upToEightHostsLinkWithAll(_ count: Int) {
    let places = (0..<count).map(Self.place)
    for me in places {
      let others = places.filter { $0.key != me.key }
      #expect(LinkPlan.targets(me: me, others: others) == others.map(\.key).sorted())
    }
  }

  @Test(arguments: [9, 10, 13, 20, 50, 120])
  func aboveEightEachWantsFiveOrSixAndTheGraphIsConnected(_ count: Int) {
    let places = (0..<count).map(Self.place)
    for me in places {
      let targets = LinkPlan.targets(me: me, others: places.filter { $0.key != me.key })
      #expect((5...6).contains(targets.count) && !targets.contains(me.key))
      #expect(targets == targets.sorted() && Set(targets).count == targets.count)
    }
    let graph = graph(places)
    #expect(isConnected(graph, without: [], of: places))
    #expect(graph.values.allSatisfy { (5...10).contains($0.count) })
  }

  @Test func fiftyHostsStayConnectedWhenATenthDiesAtOnce() {
    let places = (0..<50).map(Self.place)
    let graph = graph(places)
    var generator = Generator(seed: .zero, stream: 3)
    for _ in 0..<200 {
      var keys = places.map(\.key)
      generator.permute(&keys)
      #expect(isConnected(graph, without: Set(keys.prefix(5)), of: places))
    }
  }

  @Test func aNewcomerMovesFewLinks() {
    let places = (0..<51).map(Self.place)
    var moved = 0
    for me in places.prefix(50) {
      let before = Set(LinkPlan.targets(me: me, others: places.prefix(50).filter { $0.key != me.key }))
      let after = Set(LinkPlan.targets(me: me, others: places.filter { $0.key != me.key }))
      moved += before.symmetricDifference(after).count
    }
    #expect(moved <= 14, "\(moved) links moved")
  }
}

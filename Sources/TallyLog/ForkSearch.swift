// Owns: one search for the least index in which a peer's tree differs from ours, and the table of all searches.
// Refuses to know: messages and the store. DESIGN section 9, "Fork proof".

import TallyBase
import TallyCrypto
import TallyWire

/// A peer showed a head that does not fit ours. We ask it for paths until the first differing entry is found.
struct ForkSearch: Sendable {
  let peer: PublicKey
  /// Our newest kept head when the search began: the proof's other side.
  let ours: Head
  /// The peer served entries that do not lead to its head: when there is no fork, that was its fault.
  let isAboutRange: Bool
  /// Nil until the peer's newest head has come.
  private(set) var descent: ForkDescent?
  private var theirAnswer: PathAnswer?
  private var ourLeaf: Digest?
  private var ourPath: [Digest] = []
  private(set) var steps = 0

  enum Outcome: Sendable {
    /// An answer is missing.
    case wait
    case ask(index: UInt64, theirSize: UInt64)
    case found(ForkProof)
    /// The heads belong to one tree.
    case joined
    /// The peer's path leads to another root than its head's.
    case broken
    /// Our own store did not give what it should: nobody's fault out there.
    case failed
  }

  init(peer: PublicKey, ours: Head, isAboutRange: Bool) {
    self.peer = peer
    self.ours = ours
    self.isAboutRange = isAboutRange
  }

  /// Begins the descent below `theirs`, a head that the author signed.
  mutating func begin(theirs: Head) -> Outcome {
    let descent = ForkDescent(other: theirs, ownSize: ours.size)
    self.descent = descent
    steps = 1
    return .ask(index: descent.asks, theirSize: theirs.size)
  }

  /// Our own path of the index asked for, in the tree of `ours`.
  mutating func onOwnPath(leaf: Digest, path: [Digest]) -> Outcome {
    ourLeaf = leaf
    ourPath = path
    return advance()
  }

  mutating func onTheirPath(_ answer: PathAnswer) -> Outcome {
    // The answer to a question of an earlier search is late, not wrong.
    guard let descent, answer.question.index == descent.asks, answer.question.size == descent.other.size else {
      return .wait
    }
    theirAnswer = answer
    return advance()
  }

  private mutating func advance() -> Outcome {
    guard var descent, let answer = theirAnswer, let leaf = ourLeaf else { return .wait }
    let index = descent.asks
    guard let roots = OwnRoots(leaf: leaf, index: index, size: ours.size, path: ourPath, root: ours.root) else {
      return .failed
    }
    let step = descent.onPath(answer) { roots.root(of: $0) }
    self.descent = descent
    theirAnswer = nil
    ourLeaf = nil
    switch step {
    case .ask:
      steps += 1
      guard steps <= LedgerLimits.forkSteps else { return .broken }
      return .ask(index: descent.asks, theirSize: descent.other.size)
    case .differs(let index):
      let proof = ForkProof(
        ForkProof.Side(head: ours, leaf: leaf, path: ourPath),
        ForkProof.Side(head: descent.other, leaf: answer.leaf, path: answer.path), index: index)
      return proof.map { .found($0) } ?? .broken
    case .joined: return .joined
    case .broken: return .broken
    }
  }
}

/// The roots that one inclusion path of ours gives: of the complete subtrees left of the leaf, and the leaf itself.
private struct OwnRoots {
  private var ranges: [Range<UInt64>] = []
  private var digests: [Digest] = []

  /// Nil when the store's path does not lead to the head it is for.
  init?(leaf: Digest, index: UInt64, size: UInt64, path: [Digest], root: Digest) {
    guard let folded = MerkleTree.fold(leaf: leaf, index: index, size: size, path: path), folded.root == root else {
      return nil
    }
    var low: UInt64 = 0
    for sibling in folded.leftSiblings.reversed() {
      let count: UInt64 = 1 << UInt64(63 - (index - low).leadingZeroBitCount)
      ranges.append(low..<(low + count))
      digests.append(sibling)
      low += count
    }
    ranges.append(index..<(index + 1))
    digests.append(leaf)
  }

  func root(of range: Range<UInt64>) -> Digest {
    guard let place = ranges.firstIndex(of: range) else { preconditionFailure("no root of \(range) on this path") }
    return digests[place]
  }
}

/// One search per feed; and the peers that showed a head and then no path to it.
struct ForkSearches: Sendable {
  private var running: [FeedID: ForkSearch] = [:]
  private var withheld: [Withheld] = []

  private struct Withheld: Sendable {
    let feed: FeedID
    let peer: PublicKey
    let until: Instant
  }

  subscript(feed: FeedID) -> ForkSearch? {
    get { running[feed] }
    _modify { yield &running[feed] }
  }

  var count: Int { running.count }

  func mayBegin(_ feed: FeedID, with peer: PublicKey, now: Instant) -> Bool {
    running[feed] == nil && running.count < LedgerLimits.forkSearches
      && !withheld.contains { $0.feed == feed && $0.peer == peer && $0.until > now }
  }

  /// The peer gave no path: no evidence, and not asked again for a while.
  mutating func withhold(_ feed: FeedID, peer: PublicKey, now: Instant) {
    withheld.removeAll { $0.until <= now }
    if withheld.count >= LedgerLimits.withheldHeads { withheld.removeFirst() }
    withheld.append(Withheld(feed: feed, peer: peer, until: now + LedgerLimits.withheldFor))
  }

  /// Ascending.
  func feeds(of peer: PublicKey) -> [FeedID] { running.filter { $0.value.peer == peer }.map(\.key).sorted() }
}

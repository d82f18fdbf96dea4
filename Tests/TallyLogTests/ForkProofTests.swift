// Fork proofs: every divergence of small trees is shown, nothing else is, and the descent finds it with few questions.
import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

struct ForkProofTests {
  /// Two trees of the author that are equal before `fork`.
  func proof(_ author: Author, _ size: Int, _ other: Int, fork: Int) -> ForkProof? {
    let (ours, theirs) = (leaves(size), leaves(other, forkedAt: fork, tag: 1))
    return ForkProof.make(author.head(ours), leaves: ours, author.head(theirs), leaves: theirs)
  }

  func fault(_ proof: ForkProof, _ author: Author) -> ForkProofFault? {
    do throws(ForkProofFault) {
      try proof.verify(
        meshID: author.meshID, mesh: author.mesh, author: author.key, incarnation: author.incarnation)
      return nil
    } catch {
      return error
    }
  }

  @Test func every_fork_of_small_trees_is_shown_at_its_first_entry() throws {
    let author = try Author()
    for size in 1...9 {
      for other in 1...9 {
        for fork in 0..<min(size, other) {
          let made = try #require(proof(author, size, other, fork: fork))
          #expect(made.index == UInt64(fork))
          #expect(fault(made, author) == nil)
          #expect(try ForkProof(decoding: made.encoded) == made)
        }
        #expect(proof(author, size, other, fork: min(size, other)) == nil, "a prefix is no fork")
      }
    }
  }

  @Test func every_flipped_byte_of_a_proof_is_noticed() throws {
    let author = try Author()
    let bytes = try #require(proof(author, 13, 21, fork: 6)).encoded
    for index in bytes.indices {
      for flip in [1, 0x80] as [UInt8] {
        var changed = bytes
        changed[index] ^= flip
        do throws(DecodeError) {
          let other = try ForkProof(decoding: changed)
          #expect(fault(other, author) != nil, "byte \(index)")
        } catch {
          // Refused by the layout.
        }
      }
    }
  }

  @Test func a_proof_at_a_later_difference_understates_and_fails() throws {
    let author = try Author()
    let (ours, theirs) = (leaves(12), leaves(16, forkedAt: 4, tag: 1))
    for index in 5..<12 as Range<UInt64> {
      let late = try #require(
        ForkProof(
          ForkProof.Side(
            head: author.head(ours), leaf: ours[Int(index)], path: MerkleTree.inclusionPath(ours, index: index)),
          ForkProof.Side(
            head: author.head(theirs), leaf: theirs[Int(index)], path: MerkleTree.inclusionPath(theirs, index: index)),
          index: index))
      #expect(fault(late, author) == .notLeast)
    }
  }

  @Test func a_proof_of_no_difference_fails() throws {
    let author = try Author()
    let (ours, theirs) = (leaves(12), leaves(16, forkedAt: 9, tag: 1))
    let same = try #require(
      ForkProof(
        ForkProof.Side(head: author.head(ours), leaf: ours[3], path: MerkleTree.inclusionPath(ours, index: 3)),
        ForkProof.Side(head: author.head(theirs), leaf: theirs[3], path: MerkleTree.inclusionPath(theirs, index: 3)),
        index: 3))
    #expect(fault(same, author) == .sameLeaf)
  }

  @Test func a_proof_names_its_author_and_both_heads_are_signed() throws {
    let author = try Author()
    let made = try #require(proof(author, 4, 4, fork: 2))
    #expect(fault(made, try Author(2)) == .otherFeed)
    let unsigned = try #require(
      ForkProof(
        made.first,
        ForkProof.Side(
          head: Head(
            feed: made.feed, size: 4, root: made.second.head.root, signature: made.first.head.signature),
          leaf: made.second.leaf, path: made.second.path),
        index: made.index))
    #expect(fault(unsigned, author) == .badSignature)
    let broken = try #require(
      ForkProof(
        ForkProof.Side(head: made.first.head, leaf: .zero, path: made.first.path), made.second, index: made.index))
    #expect(fault(broken, author) == .brokenPath)
  }

  // MARK: Descent

  /// Asks a whole tree until the descent ends.
  func descend(_ ours: [Digest], _ theirs: [Digest], head: Head) -> (step: ForkDescent.Step, answer: PathAnswer, asked: Int) {
    var descent = ForkDescent(other: head, ownSize: UInt64(ours.count))
    var asked = 0
    while true {
      let question = GetPath(feed: head.feed, index: descent.asks, size: head.size)
      let index = Int(question.index)
      let answer = PathAnswer(
        question, leaf: theirs[index], path: MerkleTree.inclusionPath(theirs, index: question.index))
      asked += 1
      let step = descent.onPath(answer) { MerkleTree.root(ours[Int($0.lowerBound)..<Int($0.upperBound)]) }
      if step != .ask { return (step, answer, asked) }
    }
  }

  @Test func the_descent_finds_the_first_difference_with_few_questions() throws {
    let author = try Author()
    for size in 1...24 {
      for other in 1...24 {
        let ours = leaves(size)
        for fork in 0..<min(size, other) {
          let theirs = leaves(other, forkedAt: fork, tag: 1)
          let head = Head(
            feed: author.feed, size: UInt64(other), root: MerkleTree.root(theirs),
            signature: Signature(first: .zero, second: .zero))
          let found = descend(ours, theirs, head: head)
          #expect(found.step == .differs(at: UInt64(fork)))
          #expect(found.asked <= 6, "\(found.asked) questions for \(size) and \(other)")
        }
        let same = leaves(other)
        let head = Head(
          feed: author.feed, size: UInt64(other), root: MerkleTree.root(same),
          signature: Signature(first: .zero, second: .zero))
        #expect(descend(ours, same, head: head).step == .joined)
      }
    }
  }

  @Test func the_last_answer_of_a_descent_is_the_other_side_of_a_proof() throws {
    let author = try Author()
    let (ours, theirs) = (leaves(1000), leaves(1500, forkedAt: 777, tag: 1))
    let head = author.head(theirs)
    let found = descend(ours, theirs, head: head)
    #expect(found.step == .differs(at: 777) && found.asked <= 11)
    let made = try #require(
      ForkProof(
        ForkProof.Side(head: author.head(ours), leaf: ours[777], path: MerkleTree.inclusionPath(ours, index: 777)),
        ForkProof.Side(head: head, leaf: found.answer.leaf, path: found.answer.path), index: 777))
    #expect(fault(made, author) == nil)
  }

  @Test func a_wrong_answer_is_the_servers_fault() throws {
    let author = try Author()
    let (ours, theirs) = (leaves(8), leaves(8, forkedAt: 5, tag: 1))
    let head = author.head(theirs)
    func step(_ index: UInt64, leaf: Digest, tree: [Digest]) -> ForkDescent.Step {
      var descent = ForkDescent(other: head, ownSize: 8)
      let question = GetPath(feed: author.feed, index: index, size: 8)
      let answer = PathAnswer(question, leaf: leaf, path: MerkleTree.inclusionPath(tree, index: index))
      return descent.onPath(answer) { MerkleTree.root(ours[Int($0.lowerBound)..<Int($0.upperBound)]) }
    }
    #expect(step(7, leaf: theirs[7], tree: theirs) == .ask)
    #expect(step(6, leaf: theirs[6], tree: theirs) == .broken, "not what was asked")
    #expect(step(7, leaf: ours[7], tree: theirs) == .broken, "another leaf")
    #expect(step(7, leaf: ours[7], tree: ours) == .broken, "folds to our root, not to the other")
  }

  // MARK: Golden frames with real signatures

  @Test func signed_golden_frames_verify() throws {
    let author = try Author()
    let entries = author.entries(3)
    let push = Push(
      head: author.head(LeafHasher.hashAll(entries)), from: 0,
      introduction: FeedIntroduction(author: author.key, incarnation: author.incarnation, reason: .member),
      entries: entries)
    let made = try #require(proof(author, 5, 7, fork: 3))
    let notice = ForkNotice(author: author.key, incarnation: author.incarnation, proof: made)
    try golden(
      "signed_push", "PUSH of entries 0 to 2: mesh home, nonce 16 x 03, author's seed 32 x 01, incarnation 7",
      .push(push))
    try golden("signed_fork_proof", "FORK_PROOF of the same author: sizes 5 and 7, forked at 3", .forkProof(notice))
    guard case .push(let pushed) = try LogMessage(decoding: try read("signed_push")),
      case .forkProof(let told) = try LogMessage(decoding: try read("signed_fork_proof"))
    else {
      Issue.record("other messages than were written")
      return
    }
    let check = RangeCheck(
      row: author.row, mesh: author.mesh, frontier: MerkleFrontier(), entries: pushed.entries, head: pushed.head)
    guard case .ok = check.run() else {
      Issue.record("the golden push does not verify: \(check.run())")
      return
    }
    #expect(fault(told.proof, author) == nil)
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/frames/log").standardizedFileURL

  private func read(_ name: String) throws -> [UInt8] {
    let text = try String(contentsOf: Self.folder.appendingPathComponent("\(name).hex"), encoding: .utf8)
    return try #require(Hex.decode(text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined()))
  }

  private func golden(_ name: String, _ what: String, _ message: LogMessage) throws {
    if ProcessInfo.processInfo.environment["TALLY_WRITE_FRAMES"] == "1" {
      var lines = ["# \(what)"]
      let digits = Array(Hex.encode(message.encoded))
      for start in stride(from: 0, to: digits.count, by: 96) {
        lines.append(String(digits[start..<min(digits.count, start + 96)]))
      }
      let file = Self.folder.appendingPathComponent("\(name).hex")
      try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try read(name) == message.encoded, "\(name)")
  }
}

// Owns: generated histories of work: mostly sensible, with wrong authors, wrong links, wrong amounts and noise between.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// One entry with its place, as the ledger hands it to the fold.
struct Placed: Hashable {
  let feed: FeedID
  let author: PublicKey
  let index: UInt64
  let leaf: Digest
  let entry: Entry

  var link: EntryLink { EntryLink(feed: feed, index: index, leaf: leaf) }
  var id: EntryID { Names.entryID(feed: feed, index: index, leaf: leaf) }
}

struct History {
  var generator: Generator
  let authors: [PublicKey]
  var feeds: [(id: FeedID, author: PublicKey, size: UInt64)] = []
  var entries: [Placed] = []

  init(seed: UInt64, length: Int) {
    generator = Generator(seed: Bytes32(word0: seed, word1: 1, word2: 2, word3: 3), stream: 0)
    var authors: [PublicKey] = []
    for _ in 0..<4 { authors.append(PublicKey(raw: generator.bytes32())) }
    self.authors = authors
    for number in 0..<6 {
      feeds.append((FeedID(raw: generator.bytes32()), authors[number % authors.count], 0))
    }
    while entries.count < length { step() }
  }

  private mutating func any(_ kinds: EntryKind...) -> Placed? {
    let found = entries.filter { kinds.contains($0.entry.kind) }
    return found.isEmpty ? nil : found[generator.below(found.count)]
  }

  /// The author that would be right, or now and then another.
  private mutating func mostly(_ author: PublicKey) -> PublicKey {
    generator.chance(9, outOf: 10) ? author : authors[generator.below(authors.count)]
  }

  private mutating func linked(_ target: Placed) -> EntryLink {
    guard generator.chance(1, outOf: 25) else { return target.link }
    return EntryLink(feed: target.feed, index: target.index, leaf: Digest(raw: generator.bytes32()))
  }

  private mutating func put(_ author: PublicKey, _ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8]) {
    let own = feeds.indices.filter { feeds[$0].author == author }
    let feed = own[generator.below(own.count)]
    let noisy = generator.chance(1, outOf: 30) ? Array(body.dropLast()) : body
    let entry = Entry(kind: kind, timeMs: Int64(generator.below(1000)), links: links, body: noisy)
    entries.append(
      Placed(feed: feeds[feed].id, author: author, index: feeds[feed].size, leaf: entry.leafHash, entry: entry))
    feeds[feed].size += 1
  }

  private mutating func digest() -> Digest { Digest(raw: generator.bytes32()) }

  private func author(ofPostBehind grant: Placed) -> PublicKey? {
    grant.entry.links.first.flatMap { link in entries.first { $0.feed == link.feed && $0.index == link.index } }?.author
  }

  private mutating func step() {
    switch generator.below(20) {
    case 0...2: post()
    case 3...6: grant()
    case 7...11: end()
    case 12...15: decide()
    case 16: cancel()
    case 17: put(authors[generator.below(4)], .record, [], generator.bytes(generator.below(300)))
    case 18: put(authors[generator.below(4)], EntryKind(rawValue: 900), [], generator.bytes(5))
    default: misplaced()
    }
  }

  private mutating func post() {
    let unit = generator.chance(1, outOf: 3) ? UnitName("kwh") ?? .cpuSeconds : .cpuSeconds
    let terms = Terms(
      unit: unit, mostUnits: 1 + UInt64(generator.below(50)), tasks: UInt32(1 + generator.below(3)))
    var body = JobPostBody.known(terms, .hidden(commitment: digest())).encode()
    if generator.chance(1, outOf: 12) { body[0] = 7 }
    put(authors[generator.below(4)], .jobPost, [], body)
  }

  private mutating func grant() {
    guard let post = any(.jobPost) else { return }
    let body = LeaseGrantBody(
      taskIndex: UInt32(generator.below(3)), attempt: UInt16(1 + generator.below(3)),
      worker: authors[generator.below(4)], ttlSeconds: 60, saltCommitment: digest())
    put(mostly(post.author), .leaseGrant, [linked(post)], body.encode())
  }

  private mutating func end() {
    guard let grant = any(.leaseGrant), let lease = try? LeaseGrantBody.decode(grant.entry.body) else { return }
    let author = mostly(lease.worker)
    if generator.chance(1, outOf: 4) {
      put(author, .workFail, [linked(grant)], WorkFailBody(reason: .timeout).encode())
    } else {
      let body = WorkClaimBody(
        digest: digest(), exit: 0, units: UInt64(generator.below(60)), sandbox: .bubblewrap, root: .made, cpuMs: 1,
        wallMs: 1)
      put(author, .workClaim, [linked(grant)], body.encode())
    }
  }

  /// An acceptance of one to three claims, or a refusal, mostly by the requester of the first.
  private mutating func decide() {
    var links: [EntryLink] = []
    var amounts: [UInt64] = []
    var author = authors[generator.below(4)]
    for _ in 0..<(1 + generator.below(3)) {
      guard let claim = any(.workClaim), let units = try? WorkClaimBody.decode(claim.entry.body).units else { continue }
      if links.isEmpty, let link = claim.entry.links.first,
        let grant = entries.first(where: { $0.feed == link.feed && $0.index == link.index }),
        let requester = self.author(ofPostBehind: grant)
      {
        author = mostly(requester)
      }
      links.append(linked(claim))
      amounts.append(min(units, UInt64(generator.below(70))) + (generator.chance(1, outOf: 10) ? 1 : 0))
    }
    guard let first = links.first else { return }
    if generator.chance(1, outOf: 4) {
      put(author, .refuse, [first], RefuseBody(reason: .byAPerson).encode())
    } else {
      put(author, .accept, links, AcceptBody(amounts: amounts).encode())
    }
  }

  private mutating func cancel() {
    guard generator.chance(1, outOf: 2), let post = any(.jobPost) else { return }
    put(mostly(post.author), .jobCancel, [linked(post)], JobCancelBody(reason: .askedFor).encode())
  }

  /// A well-formed body behind links of the wrong count or kind.
  private mutating func misplaced() {
    guard let target = entries.last else { return }
    let claim = WorkClaimBody(
      digest: digest(), exit: 0, units: 1, sandbox: .none, root: .host, cpuMs: 0, wallMs: 0)
    let links = generator.chance(1, outOf: 2) ? [target.link] : [target.link, target.link]
    put(authors[generator.below(4)], .workClaim, links, claim.encode())
  }
}

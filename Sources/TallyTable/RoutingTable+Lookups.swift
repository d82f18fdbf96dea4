// Owns: questions and answers: FIND and NODES on both sides, GET_RECORD and RECORD, and the driving of lookups.
// Refuses to know: what anybody looks for. One path for now; disjoint paths (S/Kademlia) come later.

import TallyBase
import TallyWire

extension RoutingTable {
  // MARK: Answering

  mutating func onFind(_ find: Find, from peer: PublicKey, now: Instant, into effects: inout [TableEffect]) {
    guard var session = sessions[peer] else { return }
    let mayAsk = session.ask(now: now)
    sessions[peer] = session
    guard mayAsk else {
      effects.append(.fault(peer, .tooManyQuestions))
      return
    }
    let scope = session.endpoint.address.scope
    let found = nearest(to: find.target, count: find.count) { entry in
      entry.key != peer && !entry.record.endpoints(reachableFrom: scope).isEmpty
    }
    for part in Nodes.answer(find.id, records: found.map(\.record)) {
      effects.append(.datagram(to: peer, at: session.endpoint, message: part.message))
    }
  }

  mutating func onGetRecord(_ ask: GetRecord, from peer: PublicKey, now: Instant, into effects: inout [TableEffect]) {
    guard var session = sessions[peer] else { return }
    let mayAsk = session.ask(now: now)
    sessions[peer] = session
    guard mayAsk else {
      effects.append(.fault(peer, .tooManyQuestions))
      return
    }
    let answer: RecordWithAttributes
    if ask.key == me, let own {
      answer = own
    } else if let entry = entry(of: ask.key), entry.isServed {
      answer = RecordWithAttributes(record: entry.record, block: [])
    } else {
      return
    }
    effects.append(.datagram(to: peer, at: session.endpoint, message: answer.message))
  }

  mutating func onRecord(
    _ answer: RecordWithAttributes, from peer: PublicKey, now: Instant, into effects: inout [TableEffect]
  ) {
    guard sessions[peer]?.askedRecord == true, answer.record.key == peer else {
      effects.append(.fault(peer, .unasked(.record)))
      return
    }
    sessions[peer]?.askedRecord = false
    guard accept(answer.record, from: peer, into: &effects) else { return }
    if let dialled = sessions[peer]?.dialledAt, answer.record.endpoints.contains(dialled) {
      prove(answer.record, at: dialled, now: now, into: &effects)
    } else {
      learned(answer.record, now: now, into: &effects)
    }
  }

  // MARK: Asking

  /// Looks for the hosts nearest to `target`; ends with `.found`. Nil when `TableLimits.lookups` are under way.
  public mutating func lookup(_ target: NodeID, now: Instant, into effects: inout [TableEffect]) -> LookupID? {
    begin(target, isInternal: false, now: now, into: &effects)
  }

  @discardableResult
  mutating func begin(
    _ target: NodeID, isInternal: Bool, now: Instant, into effects: inout [TableEffect]
  ) -> LookupID? {
    guard lookups.count < TableLimits.lookups else { return nil }
    lookupCount += 1
    let name = LookupID(number: lookupCount)
    var lookup = Lookup(target: target, isInternal: isInternal)
    for entry in nearest(to: target, count: Find.countMax, where: { _ in true }) {
      lookup.add(
        Lookup.Candidate(
          record: entry.record, distance: entry.id.raw.distance(to: target.raw), endpoint: entry.endpoint, teller: nil,
          roundTrip: entry.roundTrip))
    }
    lookups[name] = lookup
    timers.arm(.lookup(name), at: now + TableLimits.lookupTimeout)
    advance(name, now: now, into: &effects)
    return name
  }

  mutating func advance(_ name: LookupID, now: Instant, into effects: inout [TableEffect]) {
    guard var lookup = lookups[name] else { return }
    while let candidate = lookup.next {
      // Verified only now that it is contacted: most records that are told of are never asked.
      guard accept(candidate.record, from: candidate.teller, into: &effects) else {
        lookup.mark(candidate.record.key, .failed)
        continue
      }
      lookup.mark(candidate.record.key, .asked)
      ask(candidate, for: name, target: lookup.target, now: now, into: &effects)
    }
    lookups[name] = lookup
    if lookup.isDone { finish(name, now: now, into: &effects) }
  }

  private mutating func ask(
    _ candidate: Lookup.Candidate, for name: LookupID, target: NodeID, now: Instant,
    into effects: inout [TableEffect]
  ) {
    let id = generator.next64()
    questions[id] = Question(lookup: name, peer: candidate.record.key, sentAt: now)
    timers.arm(.question(id), at: now + questionTimeout(candidate.roundTrip))
    // Twice the wanted number: after a mass failure a fifth of what is handed out is not yet known to be dead.
    let find = Find(id: id, target: target, count: Find.countMax)
    effects.append(.datagram(to: candidate.record.key, at: candidate.endpoint, message: find.message))
  }

  /// A question is late, then given up.
  mutating func questionDue(_ id: UInt64, now: Instant, into effects: inout [TableEffect]) {
    guard var question = questions[id] else { return }
    if !question.parts.isEmpty {
      // One of two datagrams was lost: what came is an answer.
      answered(id, question, now: now, into: &effects)
    } else if question.isOverdue {
      questions[id] = nil
      lookups[question.lookup]?.mark(question.peer, .failed)
    } else {
      question.isOverdue = true
      questions[id] = question
      lookups[question.lookup]?.mark(question.peer, .overdue)
      timers.arm(.question(id), at: question.sentAt + TableLimits.questionGiveUp)
    }
    advance(question.lookup, now: now, into: &effects)
  }

  mutating func onNodes(_ part: Nodes, from peer: PublicKey, now: Instant, into effects: inout [TableEffect]) {
    guard var question = questions[part.id], question.peer == peer,
      !question.parts.contains(where: { $0.part == part.part || $0.partCount != part.partCount })
    else {
      // Not asked, or answered after we gave up: the second is honest, so that nothing follows from either.
      effects.append(.fault(peer, .unasked(.nodes)))
      return
    }
    question.parts.append(part)
    questions[part.id] = question
    guard question.parts.count == Int(part.partCount) else { return }
    answered(part.id, question, now: now, into: &effects)
    advance(question.lookup, now: now, into: &effects)
  }

  private mutating func answered(
    _ id: UInt64, _ question: Question, now: Instant, into effects: inout [TableEffect]
  ) {
    questions[id] = nil
    timers.cancel(.question(id))
    guard var lookup = lookups[question.lookup] else { return }
    lookup.mark(question.peer, .answered)
    // An address of a scope narrower than the teller's or ours means another machine here.
    let teller = sessions[question.peer]?.endpoint.address.scope ?? .local
    let scope = max(teller, ownScope)
    let told = question.parts.sorted { $0.part < $1.part }.flatMap(\.records).prefix(Find.countMax)
    for record in told where record.key != me {
      guard let endpoint = record.endpoints(reachableFrom: scope).first else { continue }
      let distance = nodeID(record.key).raw.distance(to: lookup.target.raw)
      let known = entry(of: record.key)
      lookup.add(
        Lookup.Candidate(
          record: record, distance: distance, endpoint: known?.endpoint ?? endpoint, teller: question.peer,
          roundTrip: known?.roundTrip ?? RoundTrip()))
    }
    lookups[question.lookup] = lookup
    if let rank = ranks[question.peer] {
      _ = places[rank].update(question.peer) { $0.roundTrip.sample(now - question.sentAt) }
    } else if let record = lookup.candidates.first(where: { $0.record.key == question.peer })?.record {
      learned(record, now: now, into: &effects)
    }
  }

  mutating func finish(_ name: LookupID, now: Instant, into effects: inout [TableEffect]) {
    guard let lookup = lookups.removeValue(forKey: name) else { return }
    timers.cancel(.lookup(name))
    if !lookup.isInternal {
      effects.append(
        .found(name, target: lookup.target, records: lookup.results, asked: lookup.asked))
    }
  }
}

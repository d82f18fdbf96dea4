// Owns: the turn: flush, sleep, take what is ready, fairly and within a budget. Refuses to know: how each part does it.
import Glibc
import TallyBase

extension NetDriver {
  /// Sends what is queued, sleeps until something happens or `timeout` is over (nil: no limit; 0 or less: not at all),
  /// and appends what happened to `events`. Returns the time after the sleep.
  ///
  /// One call yields at most 256 datagrams, 64 KiB of one link and 1 MiB of all; what is left comes with the next
  /// call, in the order in which it became ready. Throws only when epoll itself fails.
  public mutating func poll(timeout: Interval?, into events: inout [NetEvent]) throws(SystemError) -> Instant {
    tally.polls += 1
    let before = events.count
    flushQueues(into: &events)
    events += backlog
    backlog.removeAll(keepingCapacity: true)
    let isBusy = events.count > before || !carried.isEmpty
    swap(&ready, &carried)
    carried.removeAll(keepingCapacity: true)
    try poller.wait(timeoutMs: isBusy ? 0 : sleepMs(timeout), into: &ready)
    let now = SystemClock.now()
    turnBytesLeft = NetLimits.turnLinkBytes
    for item in ready { try take(item, now, into: &events) }
    ready.removeAll(keepingCapacity: true)
    while let timer = timers.popDue(now) { fire(timer, now, into: &events) }
    return now
  }

  /// Sends what is queued without sleeping. `poll` does it too; at the end of a process call this.
  public mutating func flush() {
    var events: [NetEvent] = []
    flushQueues(into: &events)
    backlog += events
  }

  /// Queues one datagram of at most 1,232 bytes (more is our own fault and traps); it leaves with the next `poll` or
  /// `flush`. False: dropped and counted, since the queue is full or `endpoint` is no place a packet could go.
  @discardableResult
  public mutating func send(_ bytes: [UInt8], to endpoint: Endpoint) -> Bool {
    guard let datagrams else { return false }
    return datagrams.socket.send(bytes, to: endpoint, &tally)
  }

  /// Milliseconds until the owner's or our own next deadline, rounded up; -1 for ever.
  private func sleepMs(_ timeout: Interval?) -> CInt {
    var micros = timeout.map { max(0, $0.micros) }
    if let next = timers.next { micros = min(micros ?? .max, max(0, (next - SystemClock.now()).micros)) }
    guard let micros else { return -1 }
    // A day is for ever, and fits.
    return CInt(Interval(micros: min(micros, 86_400_000_000)).millisecondsRoundedUp)
  }

  private mutating func take(
    _ item: Poller.Ready, _ now: Instant, into events: inout [NetEvent]
  ) throws(SystemError) {
    // An earlier event of this turn may have ended it.
    guard poller.isCurrent(item.token), let source = sources[Int(item.token.slot)] else {
      poller.countStale()
      return
    }
    switch source {
    case .wakeUp:
      wakeUp.drain()
      events.append(.woken)
    case .signals(let signals):
      while let signal = try signals.next() { events.append(.signal(signal)) }
    case .datagrams(let socket):
      if item.events != .writable { socket.receive(upTo: NetLimits.turnDatagrams, into: &events, &tally) }
      if item.events.contains(.writable) { flushDatagrams() }
    case .listener(let listener):
      accept(listener, item.token, now, into: &events)
    case .link(let link):
      move(link, item, now, into: &events)
    }
  }

  private mutating func fire(_ timer: Timer, _ now: Instant, into events: inout [NetEvent]) {
    switch timer {
    case .connect(let token):
      guard let link = link(token), link.state == .connecting else { return }
      end(link, .connectTimedOut, into: &events)
    case .finish(let token):
      guard let link = link(token) else { return }
      end(link, .timedOut, into: &events)
    case .accept(let token):
      guard poller.isCurrent(token), case .listener(let listener) = sources[Int(token.slot)] else { return }
      watch(listener, token, .readable, now)
    case .buffers(let token):
      if token == datagrams?.token { return flushDatagrams() }
      if let link = link(token) { flush(link, into: &events) }
    }
  }

  private mutating func flushQueues(into events: inout [NetEvent]) {
    // While blocked, only EPOLLOUT or the timer tries again.
    if let datagrams, !datagrams.socket.isBlocked, datagrams.socket.queued > 0,
      !timers.isArmed(.buffers(datagrams.token))
    {
      flushDatagrams()
    }
    var tokens: [Poller.Token] = []
    swap(&tokens, &dirty)
    for token in tokens {
      guard let link = link(token) else { continue }
      link.isDirty = false
      if !link.isBlocked { flush(link, into: &events) }
    }
  }

  private mutating func flushDatagrams() {
    guard let (socket, token) = datagrams else { return }
    let flushed = socket.flush(&tally)
    if flushed == .noBuffers { timers.arm(.buffers(token), at: SystemClock.now() + settings.bufferPause) }
    let isBlocked = flushed == .blocked
    guard isBlocked != socket.isBlocked else { return }
    do throws(SystemError) {
      try poller.modify(socket.socket.descriptor, token, isBlocked ? [.readable, .writable] : [.readable])
      socket.isBlocked = isBlocked
    } catch {
      // No memory for a change of mind: try to send again a little later instead of being told.
      timers.arm(.buffers(token), at: SystemClock.now() + settings.bufferPause)
    }
  }

  // MARK: Listeners

  private mutating func accept(
    _ listener: Listener, _ token: Poller.Token, _ now: Instant, into events: inout [NetEvent]
  ) {
    for _ in 0..<NetLimits.turnAccepts {
      switch listener.accept() {
      case .nobody: return
      case .shed: tally.shedNoDescriptor += 1
      case .failed: tally.acceptErrors += 1
      case .exhausted: return rest(listener, token, now)
      case .connection(let descriptor, let remote):
        tally.accepted += 1
        switch listener.kind {
        case .tcp: welcome(descriptor, from: remote, into: &events)
        case .unix(let label): welcome(descriptor, label: label, into: &events)
        }
      }
    }
  }

  /// Stops listening to a listener that cannot accept: level-triggered, it would wake us for ever.
  private mutating func rest(_ listener: Listener, _ token: Poller.Token, _ now: Instant) {
    tally.acceptPauses += 1
    watch(listener, token, [], now)
    timers.arm(.accept(token), at: now + settings.acceptPause)
  }

  private mutating func watch(
    _ listener: Listener, _ token: Poller.Token, _ interest: Poller.Readiness, _ now: Instant
  ) {
    do throws(SystemError) {
      try poller.modify(listener.descriptor, token, interest)
    } catch {
      // Out of kernel memory: come back later; until then it stays as it was.
      timers.arm(.accept(token), at: now + settings.acceptPause)
    }
  }
}

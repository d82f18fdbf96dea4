// Owns: how a link moves on when the poller says so. Refuses to know: why its owner wants it.
import CLinux
import Glibc
import TallyBase

extension NetDriver {
  /// A TCP connection was accepted.
  mutating func welcome(_ descriptor: consuming Descriptor, from remote: Endpoint, into events: inout [NetEvent]) {
    guard linkCount < settings.linksMax else {
      tally.shedOverLimit += 1
      return
    }
    let token = poller.makeToken()
    let number = descriptor.number
    let link = Link(
      token, descriptor, remote: remote, isUnix: false, state: .open, queueBytes: settings.linkQueueBytes)
    do throws(SystemError) {
      try tune(number)
      try poller.add(link.descriptor, token, link.interest)
    } catch {
      // The peer is gone already, or the kernel has no memory for one more.
      tally.acceptErrors += 1
      return poller.retire(token)
    }
    place(.link(link), at: token)
    linkCount += 1
    tally.opened += 1
    events.append(.linkAccepted(token.number, remote: remote))
  }

  /// A Unix connection was accepted.
  mutating func welcome(_ descriptor: consuming Descriptor, label: Int, into events: inout [NetEvent]) {
    guard unixCount < settings.unixLinksMax else {
      tally.shedOverLimit += 1
      return
    }
    let token = poller.makeToken()
    let nowhere = Endpoint(address: Address(high: 0, low: 0), port: 0)
    let link = Link(
      token, descriptor, remote: nowhere, isUnix: true, state: .open, queueBytes: settings.unixQueueBytes)
    let credentials: PeerCredentials
    do throws(SystemError) {
      credentials = try PeerCredentials(of: link.descriptor)
      try poller.add(link.descriptor, token, link.interest)
    } catch {
      tally.acceptErrors += 1
      return poller.retire(token)
    }
    place(.link(link), at: token)
    unixCount += 1
    events.append(.unixAccepted(token.number, label: label, credentials))
  }

  /// The poller has something to say about a link.
  mutating func move(_ link: Link, _ item: Poller.Ready, _ now: Instant, into events: inout [NetEvent]) {
    switch link.state {
    case .connecting: finishConnecting(link, into: &events)
    case .finishing:
      if item.events.contains(.error) || item.events.contains(.hangUp) { return drop(link) }
      flush(link, into: &events)
    case .open:
      if item.events.contains(.writable) {
        flush(link, into: &events)
        guard poller.isCurrent(link.token) else { return }
      }
      if link.hasEnded || link.isPaused { return hangUp(link, item.events, into: &events) }
      guard !item.events.subtracting(.writable).isEmpty, link.lastTurn != tally.polls else { return }
      guard turnBytesLeft > 0 else { return carried.append(item) }
      link.lastTurn = tally.polls
      read(link, into: &events)
    }
  }

  private mutating func finishConnecting(_ link: Link, into events: inout [NetEvent]) {
    do throws(SystemError) {
      if let error = try link.pendingError("connect") { return end(link, CloseReason(error), into: &events) }
      if try link.isConnectedToItself() { return end(link, .refused, into: &events) }
    } catch {
      return end(link, CloseReason(error), into: &events)
    }
    timers.cancel(.connect(link.token))
    link.state = .open
    tally.opened += 1
    events.append(.linkOpened(link.token.number, remote: link.remote))
    markDirty(link)
    update(link)
  }

  private mutating func read(_ link: Link, into events: inout [NetEvent]) {
    do throws(SystemError) {
      switch try link.read(into: &readSlab) {
      case .nothing: return
      case .bytes(let count):
        turnBytesLeft -= count
        if !link.isUnix { tally.linkBytesReceived += UInt64(count) }
        events.append(link.event(bytes: Array(readSlab[..<count])))
      case .ended where link.isUnix:
        link.hasEnded = true
        events.append(.unixEnded(link.token.number))
        update(link)
      case .ended: end(link, .ended, into: &events)
      }
    } catch {
      end(link, CloseReason(error), into: &events)
    }
  }

  /// Error or hang-up on a link that is not being read.
  private mutating func hangUp(_ link: Link, _ ready: Poller.Readiness, into events: inout [NetEvent]) {
    if ready.contains(.error) {
      do throws(SystemError) {
        let error = try link.pendingError("recv")
        return end(link, error.map { CloseReason($0) } ?? .reset, into: &events)
      } catch {
        return end(link, CloseReason(error), into: &events)
      }
    }
    guard ready.contains(.hangUp) else { return }
    if link.hasEnded { return end(link, .ended, into: &events) }
    // Paused, and the peer is gone: what it sent is still there to be read later. The poller would tell us for ever.
    forget(link.descriptor)
    link.isParked = true
  }

  /// Sends what a link has queued, and says so when there is room again.
  mutating func flush(_ link: Link, into events: inout [NetEvent]) {
    guard link.state != .connecting else { return }
    do throws(SystemError) {
      let flushed = try link.flush(&tally)
      link.isBlocked = flushed == .blocked
      if flushed == .noBuffers {
        timers.arm(.buffers(link.token), at: SystemClock.now() + settings.bufferPause)
      }
    } catch {
      return link.state == .finishing ? drop(link) : end(link, CloseReason(error), into: &events)
    }
    if link.state == .finishing && link.outgoing.isEmpty { return drop(link) }
    if link.isCongested && link.outgoing.isLow && link.state == .open {
      link.isCongested = false
      events.append(link.drained)
    }
    update(link)
  }

  /// Tells the poller what the link wants now, if that has changed.
  mutating func update(_ link: Link) {
    let wanted = link.wanted
    do throws(SystemError) {
      if link.isParked {
        guard wanted.contains(.readable) else { return }
        try poller.add(link.descriptor, link.token, wanted)
        link.isParked = false
      } else {
        guard wanted != link.interest else { return }
        try poller.modify(link.descriptor, link.token, wanted)
      }
      link.interest = wanted
    } catch {
      // Without the poller it would hang for ever.
      if link.state != .finishing { backlog.append(link.event(closed: .failed(error))) }
      drop(link)
    }
  }

  /// Ends a link and tells the owner, unless it was the owner who closed it.
  mutating func end(_ link: Link, _ reason: CloseReason, into events: inout [NetEvent]) {
    if reason == .timedOut && link.state == .open { tally.halfOpen += 1 }
    let isWanted = link.state != .finishing
    drop(link)
    if isWanted { events.append(link.event(closed: reason)) }
  }

  /// Ends a link without a word.
  mutating func drop(_ link: Link) {
    if !link.isParked { forget(link.descriptor) }
    for timer: Timer in [.connect(link.token), .finish(link.token), .buffers(link.token)] { timers.cancel(timer) }
    unregister(link.token)
    if link.isUnix { unixCount -= 1 } else { linkCount -= 1 }
  }

  /// Takes a descriptor out of the poller. Closing would do it too, unless a child just being spawned holds a copy.
  mutating func forget(_ descriptor: borrowing Descriptor) {
    do throws(SystemError) {
      try poller.remove(descriptor)
    } catch {
      preconditionFailure("a descriptor in our poller is not in our poller: \(error)")
    }
  }
}

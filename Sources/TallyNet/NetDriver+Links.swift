// Owns: what the owner may ask of links: dial, write, pause, close. Refuses to know: what they carry.
import CLinux
import Glibc
import TallyBase

extension NetDriver {
  /// Starts a TCP connection. The answer comes as `.linkOpened` or `.linkClosed` under the returned token, never from
  /// here. Bytes may be written at once; they leave when the link is up.
  public mutating func dial(_ endpoint: Endpoint) -> NetToken {
    tally.dialled += 1
    let token = poller.makeToken()
    do throws(SystemError) {
      try connect(endpoint, token)
      timers.arm(.connect(token), at: SystemClock.now() + settings.connectTimeout)
    } catch {
      unregisterFailedDial(token)
      backlog.append(.linkClosed(token.number, error.code == EMLINK ? .tooManyLinks : CloseReason(error)))
    }
    return token.number
  }

  private mutating func connect(_ endpoint: Endpoint, _ token: Poller.Token) throws(SystemError) {
    guard linkCount < settings.linksMax else { throw SystemError(call: "dial", code: EMLINK) }
    guard endpoint.isSendable else { throw SystemError(call: "connect", code: EHOSTUNREACH) }
    let socket = try InternetSocket(isV6: !endpoint.address.isV4, isStream: true)
    let (number, family, name) = (socket.descriptor.number, CInt(socket.isV6 ? 1 : 0), endpoint.linux)
    try tune(number)
    do throws(SystemError) {
      try required("connect", outsideAddress: true) { clinux_connect(number, family, name) }
    } catch where error.code == EINPROGRESS {
      // The handshake goes on; writability will tell.
    }
    let link = Link(
      token, socket.takeDescriptor(), remote: endpoint, isUnix: false, state: .connecting,
      queueBytes: settings.linkQueueBytes)
    try poller.add(link.descriptor, token, link.interest)
    place(.link(link), at: token)
    linkCount += 1
  }

  private mutating func unregisterFailedDial(_ token: Poller.Token) {
    poller.retire(token)
    if Int(token.slot) < sources.count { sources[Int(token.slot)] = nil }
  }

  func tune(_ number: CInt) throws(SystemError) {
    let settings = settings
    try required("setsockopt") {
      clinux_tune_tcp(
        number, settings.keepIdleSeconds, settings.keepIntervalSeconds, settings.keepProbes, settings.userTimeoutMs)
    }
    if settings.linkBufferBytes > 0 {
      try required("setsockopt") { clinux_set_buffers(number, 0, settings.linkBufferBytes) }
    }
  }

  /// Queues `bytes` on a link or Unix connection, all of them or none. They leave with the next `poll` or `flush`.
  public mutating func write(_ token: NetToken, _ bytes: [UInt8]) -> WriteOutcome {
    guard let link = link(Poller.Token(token)), link.state != .finishing else {
      tally.stale += 1
      return .gone
    }
    guard link.outgoing.append(bytes) else {
      tally.writesRefused += 1
      // Something larger than the whole queue would never drain: nothing is promised then.
      if !link.outgoing.isEmpty { link.isCongested = true }
      return .full
    }
    markDirty(link)
    guard link.outgoing.isHigh else { return link.isCongested ? .congested : .queued }
    link.isCongested = true
    return .congested
  }

  /// Bytes that wait in a link; 0 for one that is gone.
  public func queuedBytes(_ token: NetToken) -> Int { link(Poller.Token(token))?.outgoing.count ?? 0 }

  /// Stops reading a link: its peer is held back by TCP. Nothing happens when it is gone.
  public mutating func pauseReading(_ token: NetToken) {
    guard let link = link(Poller.Token(token)), !link.isPaused else { return }
    link.isPaused = true
    update(link)
  }

  /// Goes on reading a link.
  public mutating func resumeReading(_ token: NetToken) {
    guard let link = link(Poller.Token(token)), link.isPaused else { return }
    link.isPaused = false
    update(link)
  }

  /// Closes a link or Unix connection; its token is void from now on and no event follows. `afterFlush`: what is queued
  /// is still sent, for at most `finishTimeout`.
  public mutating func close(_ token: NetToken, afterFlush: Bool = false) {
    guard let link = link(Poller.Token(token)), link.state != .finishing else {
      tally.stale += 1
      return
    }
    guard afterFlush, link.state == .open, !link.outgoing.isEmpty else { return drop(link) }
    link.state = .finishing
    timers.arm(.finish(link.token), at: SystemClock.now() + settings.finishTimeout)
    markDirty(link)
    update(link)
  }

  /// Stops a listener (its file, if any, is removed). Connections it accepted stay.
  public mutating func closeListener(_ token: NetToken) {
    let token = Poller.Token(token)
    guard poller.isCurrent(token), case .listener(let listener) = sources[Int(token.slot)] else { return }
    forget(listener.descriptor)
    timers.cancel(.accept(token))
    unregister(token)
  }

  /// The live link under a token.
  func link(_ token: Poller.Token) -> Link? {
    guard poller.isCurrent(token), Int(token.slot) < sources.count, case .link(let link) = sources[Int(token.slot)]
    else { return nil }
    return link
  }

  mutating func markDirty(_ link: Link) {
    guard !link.isDirty, link.state != .connecting else { return }
    link.isDirty = true
    dirty.append(link.token)
  }
}

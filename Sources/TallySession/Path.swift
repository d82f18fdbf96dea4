// Owns: where a UDP session sends to, and how much it may send there. An address that did not prove itself never gets
// more bytes than it sent. DESIGN section 5; RFC 9000 section 8 has the same rule with a factor of three.

import TallyBase

struct Path: Sendable {
  private(set) var endpoint: Endpoint
  private(set) var isProven: Bool
  /// Authenticated bytes from `endpoint` and bytes to it, while it is unproven.
  private(set) var received = 0
  private(set) var sent = 0
  /// The nonce whose echo proves `endpoint`, and how often it was sent.
  private(set) var challenge: UInt64?
  private(set) var tries = 0
  /// The last address that was proven: where to go back to when a newer one stays silent. Coming back by itself
  /// it must prove itself again, since somebody else may have it by now.
  private var provenBefore: Endpoint?

  /// Where a new handshake may go: its first packet is longer than what a stranger may have sent in the peer's name.
  var provenEndpoint: Endpoint? { isProven ? endpoint : provenBefore }

  init(_ endpoint: Endpoint, isProven: Bool) {
    self.endpoint = endpoint
    self.isProven = isProven
  }

  /// True when `count` bytes more may go out.
  func allows(_ count: Int) -> Bool { isProven || (count <= received && sent <= received - count) }

  mutating func noteSent(_ count: Int) {
    precondition(allows(count), "\(count) bytes to an unproven address that sent \(received) and got \(sent)")
    if !isProven { sent += count }
  }

  /// Bytes of an authenticated packet from `source`.
  mutating func noteReceived(_ count: Int, from source: Endpoint) {
    guard !isProven, source == endpoint else { return }
    let (sum, overflow) = received.addingReportingOverflow(count)
    received = overflow ? .max : sum
  }

  /// The packet with the highest counter came from another address.
  mutating func move(to source: Endpoint) {
    guard source != endpoint else { return }
    if isProven { provenBefore = endpoint }
    endpoint = source
    isProven = false
    (received, sent, challenge, tries) = (0, 0, nil, 0)
  }

  mutating func noteChallenge(_ nonce: UInt64) {
    challenge = nonce
    tries += 1
  }

  /// The challenge could not go out; its turn is over all the same.
  mutating func noteWait() { tries += 1 }

  /// True when `nonce` from `source` proves the address just now.
  mutating func prove(_ nonce: UInt64, from source: Endpoint) -> Bool {
    guard !isProven, source == endpoint, nonce == challenge else { return false }
    isProven = true
    challenge = nil
    return true
  }

  /// The challenge was never echoed: back to the last proven address, if there is one.
  mutating func giveUp() {
    challenge = nil
    tries = 0
    guard !isProven, let provenBefore else { return }
    endpoint = provenBefore
    isProven = true
  }
}

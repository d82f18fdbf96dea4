// Owns: a host to begin with, from the configuration. Refuses to know: name resolution (the shell's).

import TallyBase

public struct Seed: Hashable, Sendable {
  public let key: PublicKey
  public let endpoint: Endpoint

  public init(key: PublicKey, endpoint: Endpoint) {
    self.key = key
    self.endpoint = endpoint
  }
}

/// How a message travelled.
public enum Transport: UInt8, Sendable {
  case datagram
  case link
}

// Owns: which descriptor carries which link. The net knows tokens, the node knows links.
import TallyNet
import TallySession

struct LinkMap {
  private var tokens: [LinkID: NetToken] = [:]
  private var links: [NetToken: LinkID] = [:]
  private var nextAccepted: UInt64 = 1

  /// A link that a peer opened gets an odd number.
  mutating func accepted(_ token: NetToken) -> LinkID {
    let link = LinkID(number: nextAccepted)
    nextAccepted += 2
    join(link, token)
    return link
  }

  mutating func join(_ link: LinkID, _ token: NetToken) {
    tokens[link] = token
    links[token] = link
  }

  func token(_ link: LinkID) -> NetToken? { tokens[link] }
  func link(_ token: NetToken) -> LinkID? { links[token] }

  mutating func remove(_ link: LinkID) -> NetToken? {
    guard let token = tokens.removeValue(forKey: link) else { return nil }
    links[token] = nil
    return token
  }

  mutating func remove(_ token: NetToken) -> LinkID? {
    guard let link = links.removeValue(forKey: token) else { return nil }
    tokens[link] = nil
    return link
  }

  /// Every link that stands or is being dialled.
  var all: [LinkID] { tokens.keys.sorted() }
}

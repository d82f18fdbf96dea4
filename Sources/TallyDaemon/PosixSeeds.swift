// Owns: the address of an invite's host. Names are resolved when the daemon starts and when a seed is added.
import CLinux
import TallyBase
import TallyGossip

enum SeedResolver {
  /// nil when the host is a name that has no address now.
  static func seed(of invite: Invite) -> Seed? {
    if let address = Address(invite.host) {
      return Seed(key: invite.key, endpoint: Endpoint(address: address, port: invite.port))
    }
    var found = clinux_endpoint()
    let name = invite.host
    // Safe: the shim copies the name and fills one struct.
    guard unsafe clinux_resolve(name, &found) == 0 else {
      Log.warning("the seed \(invite.host) has no address now")
      return nil
    }
    return Seed(
      key: invite.key, endpoint: Endpoint(address: Address(high: found.high, low: found.low), port: invite.port))
  }
}

// Owns: the text of an invite. See below.
import TallyBase
import TallyCrypto
import TallyWire

/// `tally://KEY@HOST:PORT/MESH?nonce=…&token=…#MESHKEY`
public struct Invite: Hashable, Sendable {
  public static let defaultPort: UInt16 = 8255
  public let key: PublicKey
  /// An IP address without brackets, or a DNS name.
  public let host: String
  public let port: UInt16
  public let mesh: String
  /// 16 bytes.
  public let nonce: [UInt8]
  /// Undecoded text of a token; nil: none.
  public let token: String?
  /// 32 bytes; nil: an open mesh.
  public let meshKey: [UInt8]?

  public init(
    key: PublicKey, host: String, port: UInt16, mesh: String, nonce: [UInt8], token: String?, meshKey: [UInt8]?
  ) {
    self.key = key
    self.host = host
    self.port = port
    self.mesh = mesh
    self.nonce = nonce
    self.token = token
    self.meshKey = meshKey
  }

  public var meshID: MeshID { Names.meshID(name: mesh, nonce: nonce) }
  public var url: String { "" }
  public init(parsing text: String) throws(InviteError) { throw .scheme }
}

public enum InviteError: Error, Hashable, Sendable {
  case scheme, key, host, port, mesh, nonce, token, meshKey, unknownParameter(String), tooLong(Int)
}

// Owns: what a host must know to be answered at all: the mesh and its keys. DESIGN section 4.

import TallyBase

/// A mesh and its keyring.
public struct MeshKeys: Sendable {
  public let meshID: MeshID
  /// Up to three keys of 32 bytes, newest first; none for an open mesh.
  public let keys: [[UInt8]]

  /// Keys of another size, or more of them than the limit, are the caller's mistake and trap.
  public init(meshID: MeshID, keys: [[UInt8]]) {
    precondition(keys.count <= SessionLimits.meshKeys, "\(keys.count) mesh keys")
    precondition(keys.allSatisfy { $0.count == 32 }, "a mesh key that is not 32 bytes")
    self.meshID = meshID
    self.keys = keys
  }
}

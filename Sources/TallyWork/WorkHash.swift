// Owns: the hashes and commitments of a task. DESIGN section 10.

import TallyBase
import TallyCrypto

public enum WorkHash {
  /// SHA-256("tally/work/1\n" ‖ canonical JSON).
  public static func work(_ canonical: [UInt8]) -> Digest { hash("tally/work/1\n", [canonical]) }

  /// SHA-256("tally/post/1" ‖ post salt ‖ work hash): what a private post holds.
  public static func postCommitment(salt: Bytes32, workHash: Digest) -> Digest {
    hash("tally/post/1", [salt.bytes, workHash.bytes])
  }

  /// SHA-256("tally/salt/1" ‖ task salt): what a lease holds.
  public static func saltCommitment(_ taskSalt: Bytes32) -> Digest { hash("tally/salt/1", [taskSalt.bytes]) }

  /// SHA-256(task salt ‖ manifest): what a claim holds.
  public static func claimDigest(salt: Bytes32, manifest: [UInt8]) -> Digest {
    SHA256Hash.hash(salt.bytes + manifest)
  }

  private static func hash(_ tag: String, _ parts: [[UInt8]]) -> Digest {
    var message = Array(tag.utf8)
    for part in parts { message.append(contentsOf: part) }
    return SHA256Hash.hash(message)
  }
}

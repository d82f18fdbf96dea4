// Owns: how a `record` entry commits to words that stay outside the log. DESIGN section 10, Privacy.
import TallyBase
import TallyCrypto
import TallyWire

extension RecordBody {
  /// SHA-256("tally/words/1" ‖ salt ‖ words): unlinkable once the salt is deleted.
  public static func salted(_ words: [UInt8], salt: Bytes32) -> RecordBody {
    RecordBody(form: .salted, digest: SHA256Hash.hash(Array("tally/words/1".utf8) + salt.bytes + words))
  }

  /// SHA-256(words): for words that are public.
  public static func plain(_ words: [UInt8]) -> RecordBody {
    RecordBody(form: .plain, digest: SHA256Hash.hash(words))
  }
}

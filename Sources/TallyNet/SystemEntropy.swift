// Owns: the daemon's one draw from the kernel's generator. Refuses to know: what it seeds.
import CLinux
import TallyBase

public enum SystemEntropy {
  /// 32 fresh bytes of getrandom(2). Blocks only in the first seconds of a machine's life, until its pool is ready.
  public static func seed() throws(SystemError) -> Entropy {
    guard let seed = Bytes32(try bytes(Bytes32.byteCount)) else { preconditionFailure("32 bytes are not 32 bytes") }
    return Entropy(seed: seed)
  }

  /// `count` fresh bytes.
  public static func bytes(_ count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      var piece = [UInt8](repeating: 0, count: min(256, count - filled))
      let room = piece.count
      // Safe: the shim writes at most `room` bytes, which is the array's size.
      let given = try required("getrandom") { unsafe clinux_random(&piece, room) }
      for index in 0..<Int(given) { bytes[filled + index] = piece[index] }
      filled += Int(given)
    }
    return bytes
  }
}

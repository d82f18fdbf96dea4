// Owns: words for records, as the admin socket wants them.
import Foundation

public enum Base64 {
  public static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
  /// `count` bytes that do not compress.
  public static func text(of count: Int) -> String {
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    return encode(
      (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
      })
  }
}

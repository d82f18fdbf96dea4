// Owns: LZ4 blocks (liblz4) inside frames. The only file of this module that says `unsafe`.
// Refuses to know: frames. What a peer sends is unpacked into a room of the size it claims, never more.

import CLZ4
import TallyWire

package enum Compression {
  /// The block of `plain`, when it is shorter than `plain.count - saving` bytes; nil otherwise.
  package static func pack(_ plain: [UInt8], saving: Int) -> [UInt8]? {
    let room = plain.count - saving - 1
    guard room > 0, plain.count <= SessionLimits.linkMessageBytes else { return nil }
    var out = [UInt8](repeating: 0, count: room)
    let written = unsafe plain.withUnsafeBytes { source in
      unsafe out.withUnsafeMutableBytes { target -> Int32 in
        // Safe: the counts are those of the two buffers; LZ4 writes at most the room it is given.
        guard let from = source.baseAddress, let to = target.baseAddress else { return 0 }
        return unsafe LZ4_compress_default(
          from.assumingMemoryBound(to: CChar.self), to.assumingMemoryBound(to: CChar.self),
          Int32(truncatingIfNeeded: source.count), Int32(truncatingIfNeeded: target.count))
      }
    }
    guard written > 0 else { return nil }
    out.removeLast(out.count - Int(written))
    return out
  }

  /// Exactly `size` bytes from `block`; nil when it holds anything else.
  package static func unpack(_ block: ArraySlice<UInt8>, size: Int) -> [UInt8]? {
    guard size > 0, size <= SessionLimits.linkMessageBytes, !block.isEmpty, block.count <= LinkFrame.frameLimit else {
      return nil
    }
    // Zeroed, so that a block with a zero match offset repeats zeros and not what lay in memory.
    var out = [UInt8](repeating: 0, count: size)
    let written = unsafe block.withUnsafeBytes { source in
      unsafe out.withUnsafeMutableBytes { target -> Int32 in
        // Safe: the counts are those of the two buffers; LZ4_decompress_safe never leaves either.
        guard let from = source.baseAddress, let to = target.baseAddress else { return -1 }
        return unsafe LZ4_decompress_safe(
          from.assumingMemoryBound(to: CChar.self), to.assumingMemoryBound(to: CChar.self),
          Int32(truncatingIfNeeded: source.count), Int32(truncatingIfNeeded: target.count))
      }
    }
    return Int(written) == size ? out : nil
  }
}

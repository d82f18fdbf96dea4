// Owns: the process' limit on open descriptors. Refuses to know: who needs them.
import CLinux

public enum OpenFiles {
  /// Raises the soft limit towards `wanted`, as far as the hard limit allows, and returns what holds now.
  public static func raise(to wanted: UInt64) throws(SystemError) -> UInt64 {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    // Safe: the shim fills two numbers.
    try required("prlimit") { unsafe clinux_get_limit(0, CInt(CLINUX_LIMIT_OPEN_FILES), &soft, &hard) }
    let raised = max(soft, min(wanted, hard))
    if raised > soft { try required("prlimit") { clinux_set_limit(0, CInt(CLINUX_LIMIT_OPEN_FILES), raised, hard) } }
    return raised
  }
}

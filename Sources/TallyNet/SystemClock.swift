// Owns: reading the host's clocks. Refuses to know: what time is for.
import CLinux
import TallyBase

/// The clocks of this host.
public enum SystemClock {
  /// CLOCK_BOOTTIME, which also counts the time a laptop slept (a session must age meanwhile), and CLOCK_REALTIME.
  public static func now() -> Instant { Instant(micros: clinux_boot_micros(), wallMs: clinux_wall_millis()) }
}

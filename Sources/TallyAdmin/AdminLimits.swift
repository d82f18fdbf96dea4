// Owns: the named limits of the admin socket. Each is hit on purpose by a test.

public enum AdminLimits {
  /// Bytes of one request line, its newline included. A 64 KiB leaf in base64 is 87,384.
  public static let lineSizeMax = 128 * 1024
  /// Requests of one connection that wait for an answer.
  public static let inFlightMax = 16
  /// Requests in one batch.
  public static let batchMax = 16
  /// Levels of arrays and objects in one request.
  public static let depthMax = 16
  /// Bytes that may wait to be read by a client; notifications beyond it are dropped and counted.
  public static let outgoingMax = 512 * 1024
  /// Connections at once.
  public static let connectionsMax = 1024
  /// Subscriptions of one connection.
  public static let subscriptionsMax = 16
  /// Uploads that one connection may have open.
  public static let stagingsMax = 16
}

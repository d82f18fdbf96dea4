// Owns: the version of this program, in one place.

public enum TallyVersion {
  public static let text = "0.1.0"
  /// Of the admin socket's methods; fields are only added within one major number.
  public static let api = "1.0"
}

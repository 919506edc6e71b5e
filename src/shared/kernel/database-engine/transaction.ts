/** The operations that a group commit needs from a connection. */
export interface Transaction {
  /** Whether the log is due to be copied into the database. `begin` can copy it when all commits are on disk. */
  readonly logIsLong: boolean;
  /** Marks units as in flight, until `ended`. */
  begun(): void;
  ended(): void;
  begin(): void | Promise<void>;
  save(): void;
  release(): void;
  undo(): void;
  /** Settles when the disk is free. The group must not commit before. */
  readonly busy: Promise<void> | undefined;
  /** Settles when earlier commits are on disk. The group must not commit before. */
  readonly restsOn: Promise<void> | undefined;
  /** Makes the group visible to later units only. */
  commit(): void;
  /**
   * Writes the commits to disk, and then makes them visible to readers. When it is not urgent, it may wait a little for others. After a
   * rejection, no further commit is possible.
   */
  sync(isUrgent: boolean): Promise<void>;
  rollback(): void;
}

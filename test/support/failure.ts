// Owns the catching of what a call is expected to fail with.

/** What the promise was rejected with; undefined where it was not. */
export function failure(promise: PromiseLike<unknown>): Promise<Error | undefined> {
  return Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error as Error,
  )
}

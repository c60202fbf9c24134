/** Where a value was set, for messages. */

/** The layers, highest priority first. */
export type Origin =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'config'; readonly file: string }
  | { readonly kind: 'experiment'; readonly file: string }
  | { readonly kind: 'default' }

/** `--ncores`, `PYPET_NCORES`, `/lab/pypet.config.json`, `the experiment in /lab/job.ts`, `the default`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return origin.flag
    case 'env':
      return origin.name
    case 'config':
      return origin.file
    case 'experiment':
      return `the experiment in ${origin.file}`
    case 'default':
      return 'the default'
  }
}

/** Names an option with the place where it was set: `--ncores`, `PYPET_NCORES`, `ncores in /lab/pypet.config.json`. */
export function describePlace(name: string, origin: Origin): string {
  if (origin.kind === 'flag' || origin.kind === 'env') return describeOrigin(origin)
  return `${name} in ${describeOrigin(origin)}`
}

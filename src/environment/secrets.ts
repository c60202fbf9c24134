/** Detects what looks like a secret, so that it stays out of files that are passed on. */

/** Replaces a secret. */
const MASK = '***'

/**
 * Whether a file's name, or that of a folder above it, suggests that it holds secrets.
 *
 * @param path with slashes
 */
export function isSecretPath(path: string): boolean {
  return path.split('/').some((name) => SECRET_NAMES.test(name))
}

const SECRET_NAMES = /^(?:\.env.*|.*\.(?:pem|key)|id_rsa.*|id_ed25519.*)$/is

/** Masks secrets in texts and counts them. */
export class SecretMask {
  /** How many were masked. */
  count = 0

  /** The words of a command. */
  words(words: readonly string[]): string[] {
    return words.map((word, index) => {
      const flag = /^--?([\w.-]+)$/.exec(words[index - 1] ?? '')?.[1]
      return flag !== undefined && !word.startsWith('--') ? this.named(flag, word) : this.word(word)
    })
  }

  /** A value with its name, as of a variable. */
  named(name: string, value: string): string {
    return isSecretName(name) && !isHarmless(name, value) ? this.#masked() : this.word(value)
  }

  /** Any value: masks texts in it, and everything with the name of a secret. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.word(value)
    if (Array.isArray(value)) return value.map((item) => this.value(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        typeof item === 'string' ? this.named(name, item) : this.value(item),
      ]),
    )
  }

  /** A word such as `--set=db.password=x`, or a text. */
  word(word: string): string {
    const [, before = '', name = '', value = ''] = /^((-*[\w.-]+)=)(.*)$/s.exec(word) ?? []
    if (before !== '') return `${before}${this.named(name, value)}`
    return this.#text(word)
  }

  #text(text: string): string {
    let left = text
    for (const pattern of KNOWN) left = left.replace(pattern, () => this.#masked())
    left = left.replace(
      /\b(bearer\s+)(?!\*\*\*)[\w.~+/=-]{4,}/gi,
      (_, before) => `${before}${this.#masked()}`,
    )
    left = left.replace(USER_IN_URL, (whole, scheme: string, user: string) => {
      const [name, password] = user.split(/:(.*)/s)
      if (password !== undefined) return `${scheme}${name}:${this.#masked()}@`
      return /^https?:/i.test(scheme) && user !== MASK ? `${scheme}${this.#masked()}@` : whole
    })
    left = left.replace(
      /\b(authorization:\s*basic\s+)[\w+/=]+/gi,
      (_, before) => `${before}${this.#masked()}`,
    )
    // Assignments inside a text or a URL.
    left = left.replace(/([\s,;?&({'"])([\w.-]+)=([^\s,;&'")}]+)/g, (whole, before, name, value) =>
      isSecretName(name) && !isHarmless(name, value) ? `${before}${name}=${this.#masked()}` : whole,
    )
    // Objects written as text.
    return left.replace(/("([^"\n]{1,100})"\s*:\s*)"((?:[^"\\]|\\.)*)"/g, (_, before, name, value) => {
      const masked = isSecretName(name) && value !== MASK ? this.#masked() : value
      return `${before}"${masked}"`
    })
  }

  #masked(): string {
    this.count += 1
    return MASK
  }
}

/** Tokens that are recognisable by their form. */
const KNOWN: readonly RegExp[] = [
  /\bgh[pousr]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_\w{20,}/g,
  /\bglpat-[\w-]{16,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bxox[abeprs]-[\w-]{10,}/g,
  /\bsk-[\w-]{20,}/g,
  /\bAIza[\w-]{35}/g,
  /\bnpm_[A-Za-z0-9]{36}/g,
  /\bhf_[A-Za-z0-9]{30,}/g,
  /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs,
]

const USER_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#"'@]+)@/gi

/** `apiKey`, `DB_PASSWORD`, `github.token`; not `tokenizer`, nor `keyboard`. */
function isSecretName(name: string): boolean {
  if (/(?:api|private|access|secret|signing|encryption)key/i.test(name.replace(/[^A-Za-z0-9]/g, '')))
    return true
  return wordsOf(name).some((word) =>
    /(?:tokens?|secrets?|password|passwd|passphrase|pwd|credentials?)$/.test(word),
  )
}

/** `max_tokens` is a count. */
function isHarmless(name: string, value: string): boolean {
  return value === '' || value === MASK || (/tokens$/i.test(name) && /^[\d.,:eE+-]+$/.test(value))
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.toLowerCase())
}

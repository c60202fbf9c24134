import { isIP } from 'node:net'

/** Whether a host, without its port, is this machine for everyone: `localhost`, `127.0.0.1`, `::1`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  if (isIP(name) === 4) return name.startsWith('127.')
  if (isIP(name) === 6) return name === '::1'
  return name === 'localhost' || name.endsWith('.localhost')
}

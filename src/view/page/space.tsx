export function Space() {
  return <section class="space" aria-label="Space" />
}

import { KEYS } from './keys.ts'

export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <aside class="help" aria-label="Help">
      <dl>
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>
        Drag on an axis or in a plot to narrow the runs; click to show all of that axis again. The filter
        knows <code>&amp;&amp; || ! == != &lt; &gt; in null</code>, texts in quotes, and{' '}
        <code>mean(trace)</code>, <code>max(trace)</code>, <code>trace[3]</code>.
      </p>
      <button type="button" onClick={onClose}>
        close
      </button>
    </aside>
  )
}

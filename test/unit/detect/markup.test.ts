import t from 'tap'
import { entityGroups } from '../../../proxy/detect/entities.ts'
import { scanMarkup } from '../../../proxy/detect/markup.ts'
import { compileScanner } from '../../../proxy/detect/scanner.ts'

const scanner = compileScanner(new Set(entityGroups.keys()))

function masked(text: string, markup: 'xml' | 'html'): string {
  let result = ''
  let copied = 0
  for (const { start, end } of scanMarkup(scanner, text, markup)) {
    result += `${text.slice(copied, start)}*`
    copied = end
  }
  return result + text.slice(copied)
}

t.test('a value that is split by what is not shown is found in its pieces', async (t) => {
  for (const [text, expected] of [
    ['<a>ada<!-- > -->@example.org, bob@example.org</a>', '<a>*<!-- > -->*, *</a>'],
    ['<a><![CDATA[ada]]><![CDATA[@example.org]]></a>', '<a><![CDATA[*]]><![CDATA[*]]></a>'],
    ['<a>ada@exam<?x y?>ple.org</a>', '<a>*<?x y?>*</a>'],
    ['<a>ada@example<!---->.org</a><!-- bob@example.org -->', '<a>*<!---->*</a><!-- * -->'],
    ['<a>ada@example.org<!-- bob@example.org', '<a>*<!-- *'],
    ['<p>1</p><!-- --><p>@example.org</p>', '<p>1</p><!-- --><p>@example.org</p>'],
    ['plain ada@example.org', 'plain *'],
  ] as const) {
    t.equal(masked(text, 'xml'), expected)
    t.equal(masked(text, 'html'), expected)
  }
})

t.test('in HTML elements within words do not split it, and others do', async (t) => {
  for (const [text, expected] of [
    ['<p>ada<b>@example</b>.org</p>', '<p>*<b>*</b>*</p>'],
    ['ada<B class=">">@example.org</B>', '*<B class=">">*</B>'],
    [`a<span\nstyle='x'>d</span><wbr/>a@example.org`, `*<span\nstyle='x'>*</span><wbr/>*`],
    ['<a href="mailto:ada@example.org">ada<i>@</i>example.org</a>', '<a href="mailto:*">*<i>*</i>*</a>'],
    ['<td>ada</td><td>@example.org</td>', '<td>ada</td><td>@example.org</td>'],
    ['ada<br>@example.org', 'ada<br>@example.org'],
  ] as const)
    t.equal(masked(text, 'html'), expected)
  t.equal(masked('ada<b>@example</b>.org', 'xml'), 'ada<b>@example</b>.org')
})

t.test('an element that does not end is none, however long', async (t) => {
  for (const rest of ['x'.repeat(1e6), '"x"'.repeat(1e6), `"'"`.repeat(1e6)])
    t.equal(scanMarkup(scanner, `ada<b>@example.org</b><b ${rest}`, 'html').length, 2)
})

/** A gateway with a paired session and a browser, to look at the messages of that session. */
import type { Locator, Page } from 'playwright-core';
import { isLive, startBrowser, type TestBrowser, type TestPage } from './browser.ts';
import { GatewayUnderTest, pairedSession } from './gateway.ts';

export const ann = '+15551234567';

export class MessagesPage {
  readonly gateway: GatewayUnderTest;
  readonly browser: TestBrowser;

  private constructor(gateway: GatewayUnderTest, browser: TestBrowser) {
    this.gateway = gateway;
    this.browser = browser;
  }

  /** Ann reads what she is sent; dispose of it in `after`. */
  static async start(): Promise<MessagesPage> {
    const [gateway, browser] = await Promise.all([GatewayUnderTest.start(), startBrowser()]);
    const pages = new MessagesPage(gateway, browser);
    await pairedSession(gateway, 'support', { phone: '15550001111' });
    await pages.contact(ann, { name: 'Ann Carter', behaviour: 'reads' });
    return pages;
  }

  async dispose(): Promise<void> {
    await this.browser.close();
    await this.gateway.dispose();
  }

  contact(phone: string, change: object = {}): Promise<unknown> {
    return this.gateway.must(201, '/sessions/support/sandbox/contacts', { phone, ...change });
  }

  writes(from: string, message: object): Promise<unknown> {
    return this.gateway.must(201, '/sessions/support/sandbox/messages', { from, ...message });
  }

  address(query = '', session = 'support'): string {
    return `${this.gateway.baseUrl}/dashboard/sessions/${session}/messages${query}`;
  }

  chatWith(phone: string, session = 'support'): string {
    return this.address(`?chat=${encodeURIComponent(phone)}`, session);
  }

  /** A page that hears events: what happens from now on is seen live. */
  async opened(url: string): Promise<TestPage> {
    const shown = await this.browser.newPage();
    await shown.page.goto(url);
    await isLive(shown.page);
    return shown;
  }
}

export const bubble = (page: Page, text: string): Locator => page.locator('.bubble').filter({ hasText: text });

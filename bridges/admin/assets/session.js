// Signed in, and following what happens, as long as the page is open.

import { banner, pause } from './dom.js';
import { t } from './words.js';

export class Session {
  /** account: {user_id, password} */
  constructor(client, account) {
    this.client = client;
    this.account = account;
  }

  get storageKey() {
    return `pb.matrix.${this.client.base}.${this.account.user_id}`;
  }

  async signIn(again = false) {
    let known = {};
    try {
      known = JSON.parse(sessionStorage.getItem(this.storageKey)) ?? {};
    } catch { /* then we sign in */ }
    if (known.token && !again) {
      Object.assign(this.client, { token: known.token, user: known.user, device: known.device });
      return;
    }
    await this.client.login(this.account.user_id, this.account.password, known.device);
    sessionStorage.setItem(this.storageKey, JSON.stringify({ token: this.client.token, user: this.client.user, device: this.client.device }));
  }

  /** take(data, initial): an answer of the sync. */
  async follow(take) {
    let since = null;
    let failures = 0;
    let signedIn = false;
    for (;;) {
      try {
        if (!signedIn) {
          await this.signIn();
          signedIn = true;
        }
        const data = await this.client.sync(since, since && failures === 0 ? 30000 : 0);
        const initial = since === null;
        since = data.next_batch;
        failures = 0;
        banner('homeserver', null);
        take(data, initial);
      } catch (e) {
        ++failures;
        if (signedIn && e.status === 401) await this.signIn(true).then(() => { since = null; }, (f) => this.trouble(f));
        else if (signedIn && e.status === 400 && since !== null) since = null; // a position that the server has forgotten
        else this.trouble(e);
        await pause(Math.min(10000, 500 * 2 ** Math.min(failures, 5)));
      }
    }
  }

  trouble(e) {
    if (e.status === 403 || e.status === 401) banner('homeserver', t('The homeserver does not accept the account {0}: {1} If the data folder was moved or changed, start Patchbay again and open its new link.', this.account.user_id, e.message));
    else if (e.status !== undefined) banner('homeserver', `${e.message} ${t('Trying again…')}`);
    else {
      console.error(e);
      banner('homeserver', t('The console met something that it does not understand. Reload the page.'));
    }
  }
}

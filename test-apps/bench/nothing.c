/* SPDX-License-Identifier: MIT */
/* The smallest program: its start is all that it costs. */
int main(void)
{
	return 0;
}

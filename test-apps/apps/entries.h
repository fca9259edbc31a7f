/* SPDX-License-Identifier: MIT */
/* How many entries a directory of /proc has. */
#ifndef APPS_ENTRIES_H
#define APPS_ENTRIES_H

#include <dirent.h>

static inline int entries(const char *directory)
{
	DIR *dir = opendir(directory);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static inline int open_descriptors(void)
{
	return entries("/proc/self/fd") - 3; /* ".", ".." and the directory itself */
}

#endif
